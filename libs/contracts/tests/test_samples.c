/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every case of every file of samples (DUB_TEST_DATA): what a payload becomes
 * when it was decoded and encoded again ("emits"), or how the refusal begins
 * ("refused").
 */
#include <dubbing_contracts/contracts.h>
#include <string.h>

#include "codec.h"

typedef struct {
  char *event;
  JsonNode *sample;
} Case;

static void
case_free (gpointer data)
{
  Case *self = data;

  g_free (self->event);
  json_node_unref (self->sample);
  g_free (self);
}

static void
check_emits (JsonNode *got, JsonNode *wanted)
{
  g_autofree char *got_text = json_to_string (got, FALSE);
  g_autofree char *wanted_text = json_to_string (wanted, FALSE);
  g_autoptr (JsonNode) again = json_from_string (got_text, NULL);

  if (!json_node_equal (again, wanted))
    g_error ("got    %s\nwanted %s", got_text, wanted_text);
  g_assert_null (strstr (got_text, "null"));
}

/* What we emit must come back to itself: strict output is valid input. */
static void
check_stable (const char *event, JsonNode *emitted)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) again = NULL;
  gboolean is_known = FALSE;

  /* A flat init has no ids: those are the service's to give. */
  if (g_str_equal (event, DUB_EVENT_STREAM_INIT) &&
      !json_object_has_member (json_node_get_object (emitted), "stream_id"))
    return;
  again = dub_codec_round_trip (event, emitted, &is_known, &error);
  g_assert_no_error (error);
  g_assert_true (json_node_equal (again, emitted));
}

static void
test_case (gconstpointer data)
{
  const Case *self = data;
  JsonObject *sample = json_node_get_object (self->sample);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) got = NULL;
  gboolean is_known = FALSE;
  const char *refused;

  got = dub_codec_round_trip (self->event,
      json_object_get_member (sample, "payload"), &is_known, &error);
  g_assert_true (is_known);
  if (json_object_has_member (sample, "emits")) {
    g_assert_no_error (error);
    check_emits (got, json_object_get_member (sample, "emits"));
    check_stable (self->event, got);
    return;
  }
  refused = json_object_get_string_member (sample, "refused");
  g_assert_null (got);
  g_assert_nonnull (error);
  if (!g_str_has_prefix (error->message, refused))
    g_error ("got \"%s\", wanted \"%s...\"", error->message, refused);
}

static void
add_cases (const char *file)
{
  g_autofree char *path = g_build_filename (DUB_TEST_DATA, file, NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  JsonObject *root;
  JsonArray *cases;

  json_parser_load_from_file (parser, path, &error);
  g_assert_no_error (error);
  root = json_node_get_object (json_parser_get_root (parser));
  cases = json_object_get_array_member (root, "cases");
  g_assert_cmpuint (json_array_get_length (cases), >, 0);
  for (guint i = 0; i < json_array_get_length (cases); i++) {
    Case *one = g_new0 (Case, 1);
    g_autofree char *test_path = NULL;

    one->event = g_strdup (json_object_get_string_member (root, "event"));
    one->sample = json_node_ref (json_array_get_element (cases, i));
    test_path = g_strdup_printf ("/contracts/%.*s/%s",
        (int) (strlen (file) - strlen (".json")), file,
        json_object_get_string_member (
            json_node_get_object (one->sample), "name"));
    g_test_add_data_func_full (test_path, one, test_case, case_free);
  }
}

int
main (int argc, char **argv)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;
  guint files = 0;

  g_test_init (&argc, &argv, NULL);
  dir = g_dir_open (DUB_TEST_DATA, 0, NULL);
  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)))
    if (g_str_has_suffix (name, ".json") && ++files)
      add_cases (name);
  g_assert_cmpuint (files, >=, 11);
  return g_test_run ();
}
