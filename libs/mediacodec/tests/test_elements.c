/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/error.h>
#include <dubbing_mediacodec/elements.h>
#include <gst/gst.h>
#include <string.h>

static void
test_table (void)
{
  for (const DubElement *element = dub_elements (); element->name; element++) {
    g_assert_cmpuint (element->uses, !=, 0);
    g_assert_true (strstr (element->package, "gstreamer1.0") != NULL);
    g_assert_cmpstr (element->what_for, !=, "");
  }
}

static void
test_other_is_enough (void)
{
  const DubElement element = {"no-such-element", "fakesink", "p", "w", 1};
  const DubElement alone = {"no-such-element", NULL, "p", "w", 1};

  g_assert_true (dub_element_exists (&element));
  g_assert_false (dub_element_exists (&alone));
}

static void
test_names_package (void)
{
  g_autofree char *known = dub_element_describe ("flvdemux");
  g_autofree char *unknown = dub_element_describe ("other");

  g_assert_cmpstr (
      known, ==, "GStreamer's flvdemux (package gstreamer1.0-plugins-good)");
  g_assert_cmpstr (unknown, ==, "GStreamer's other");
}

/* What a machine without the plugins-bad package would say. */
static void
test_says_what_is_missing (void)
{
  GstRegistry *registry = gst_registry_get ();
  g_autoptr (GError) error = NULL;
  GstPlugin *plugin;

  g_assert_true (dub_elements_check (DUB_ELEMENTS_MEDIA, &error));
  plugin = gst_registry_find_plugin (registry, "rtmp2");
  g_assert_nonnull (plugin);
  gst_registry_remove_plugin (registry, plugin);
  gst_object_unref (plugin);
  g_assert_false (dub_elements_check (DUB_ELEMENTS_MEDIA, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND);
  g_assert_true (strstr (error->message,
                     "rtmp2src (package gstreamer1.0-plugins-bad)") != NULL);
  g_assert_true (strstr (error->message, "rtmp2sink") != NULL);
  g_assert_true (strstr (error->message, "flvdemux") == NULL);
}

int
main (int argc, char **argv)
{
  gst_registry_fork_set_enabled (FALSE);
  gst_init (NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mediacodec/elements/table", test_table);
  g_test_add_func (
      "/mediacodec/elements/other-is-enough", test_other_is_enough);
  g_test_add_func ("/mediacodec/elements/names-package", test_names_package);
  g_test_add_func (
      "/mediacodec/elements/says-what-is-missing", test_says_what_is_missing);
  return g_test_run ();
}
