/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/streams_file.h"

#include <dubbing_common/error.h>
#include <string.h>

static const char good[] = "# what is on air\n"
                           "streams:\n"
                           "  demo:\n"
                           "    target_languages: [es, de]\n"
                           "    output_delay_ms: 6000\n"
                           "    duck_db: -12.5\n"
                           "  studio:\n"
                           "    input_url: rtsp://10.0.0.7/main\n"
                           "    destinations:\n"
                           "      - name: twitch\n"
                           "        url: rtmp://live.example/app/sesame\n";

/* (transfer full) (nullable) */
static GHashTable *
parse (const char *text, const char *default_languages, GError **error)
{
  g_autoptr (DubStreamSettings) defaults = dub_stream_settings_new ();

  defaults->values[DUB_SETTING_TARGET_LANGUAGES] = g_strdup (default_languages);
  return dub_streams_file_parse (text, strlen (text), defaults, error);
}

static void
test_good (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) streams = parse (good, "en", &error);
  DubStreamSettings *demo, *studio;

  g_assert_no_error (error);
  g_assert_cmpuint (g_hash_table_size (streams), ==, 2);
  demo = g_hash_table_lookup (streams, "demo");
  studio = g_hash_table_lookup (streams, "studio");
  g_assert_cmpstr (demo->values[DUB_SETTING_TARGET_LANGUAGES], ==, "es,de");
  g_assert_cmpstr (demo->values[DUB_SETTING_OUTPUT_DELAY_MS], ==, "6000");
  g_assert_cmpstr (demo->values[DUB_SETTING_DUCK_DB], ==, "-12.5");
  g_assert_null (demo->values[DUB_SETTING_INPUT_URL]);
  g_assert_cmpstr (
      studio->values[DUB_SETTING_INPUT_URL], ==, "rtsp://10.0.0.7/main");
  g_assert_nonnull (
      strstr (studio->values[DUB_SETTING_DESTINATIONS], "sesame"));
}

typedef struct {
  const char *text, *message;
} BadCase;

static const BadCase bad[] = {
    {"", "line "},
    {"streams: 7\n", "line 1: streams"},
    {"stream:\n  demo: {}\n", "line 1: \"streams\""},
    {"streams:\n  demo: {}\nother: 1\n", "line 1: \"streams\""},
    {"streams:\n  a/b: {}\n", "line 2: a stream's name"},
    {"streams:\n  demo: x\n", "line 2: the settings"},
    {"streams:\n  demo:\n    duck_db: -3\n    colour: red\n",
        "line 4: colour: there is no such setting"},
    {"streams:\n  demo:\n    output_delay_ms: 100\n",
        "line 3: output_delay_ms: "},
    {"streams:\n  demo:\n    destinations:\n      - name: x\n        url: "
     "rtmp://h/sesame\n        key: sesame\n",
        "line 4: destinations: "},
    {"streams:\n  demo:\n    destinations:\n      - name: x\n        url: "
     "rtmp://h/sesame\n      - name: y\n        url: rtmp://h/sesame\n",
        "line 4: destinations: "},
    {"streams:\n  other: {}\n  demo:\n    target_languages: [en, es]\n"
     "    output_url: srt://h:1?streamid=sesame\n",
        "line 4: target_languages: several by SRT"},
    {"streams: &a\n  demo: *a\n", "line 1: anchors"},
    {"streams:\n  demo: {}\n  demo: {}\n", "line 3: a key given twice"},
};

static void
test_bad (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (parse (bad[i].text, "en", &error));
    if (!g_str_has_prefix (error->message, bad[i].message))
      g_error ("%s", error->message);
    g_assert_null (strstr (error->message, "sesame"));
  }
}

/* What the file leaves to the service must fit what it says. */
static void
test_over_defaults (void)
{
  static const char by_srt[] =
      "streams:\n  demo: {output_url: \"srt://h:1?streamid=sesame\"}\n";
  static const char one[] =
      "streams:\n  demo:\n    output_url: srt://h:1?streamid=sesame\n"
      "    target_languages: [nan]\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) fits = parse (by_srt, "en", &error);
  g_autoptr (GHashTable) own = parse (one, "en,es", &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_hash_table_size (fits), ==, 1);
  g_assert_cmpuint (g_hash_table_size (own), ==, 1);
  g_assert_null (parse (by_srt, "en,es", &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  g_assert_true (
      g_str_has_prefix (error->message, "line 2: target_languages: "));
}

static void
test_no_file (void)
{
  g_autoptr (DubStreamSettings) defaults = dub_stream_settings_new ();
  g_autoptr (GError) error = NULL;

  g_assert_null (
      dub_streams_file_load ("/nonexistent/streams.yaml", defaults, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  g_assert_true (g_str_has_prefix (
      error->message, "STREAMS_FILE: /nonexistent/streams.yaml: "));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/streams-file/good", test_good);
  g_test_add_func ("/media/streams-file/bad", test_bad);
  g_test_add_func ("/media/streams-file/over-defaults", test_over_defaults);
  g_test_add_func ("/media/streams-file/no-file", test_no_file);
  return g_test_run ();
}
