/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/log.h>
#include <media_service/gst_bus.h>
#include <string.h>

#define URL "rtmp://a/app/secretkey"

static char *logged;

static void
on_line (DubLogLevel level, const char *line, gpointer user_data)
{
  g_free (logged);
  logged = g_strdup (line);
}

static void
note (GstElement *element, GQuark domain, int code, gboolean is_warning)
{
  g_autoptr (GError) error = g_error_new (domain, code, "no " URL);
  GstMessage *message =
      is_warning ? gst_message_new_warning (GST_OBJECT (element), error, "why")
                 : gst_message_new_error (GST_OBJECT (element), error, "why");

  dub_bus_note (message, URL);
  gst_message_unref (message);
}

static void
test_kinds (void)
{
  g_autoptr (GstElement) element = gst_object_ref_sink (gst_bin_new ("box"));
  DubBusCounts counts;

  note (element, GST_CORE_ERROR, GST_CORE_ERROR_FAILED, FALSE);
  note (element, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION, FALSE);
  note (element, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, FALSE);
  note (element, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, FALSE);
  note (element, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, FALSE);
  dub_bus_get_counts (&counts);
  g_assert_cmpuint (counts.errors[DUB_BUS_PIPELINE_ERROR], ==, 1);
  g_assert_cmpuint (counts.errors[DUB_BUS_NEGOTIATION_ERROR], ==, 1);
  g_assert_cmpuint (counts.errors[DUB_BUS_STREAM_ERROR], ==, 2);
  g_assert_cmpuint (counts.errors[DUB_BUS_ELEMENT_ERROR], ==, 1);
  g_assert_cmpuint (counts.warnings, ==, 0);
  g_assert_null (logged);
}

/* A warning is told once, by its element, and without the stream's key. */
static void
test_warning (void)
{
  g_autoptr (GstElement) element = gst_object_ref_sink (gst_bin_new ("box"));
  DubBusCounts counts;

  note (element, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ, TRUE);
  dub_bus_get_counts (&counts);
  g_assert_cmpuint (counts.warnings, ==, 1);
  g_assert_nonnull (strstr (logged, "box: no rtmp://a/app/*** (why)"));
  g_assert_null (strstr (logged, "secretkey"));
  g_clear_pointer (&logged, g_free);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  dub_log_set_sink (on_line, NULL);
  g_test_add_func ("/media/gst-bus/kinds", test_kinds);
  g_test_add_func ("/media/gst-bus/warning", test_warning);
  return g_test_run ();
}
