/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/stream_settings.h"

#include <string.h>

static gboolean
set (DubStreamSettings *self, const char *name, const char *json)
{
  g_autoptr (JsonNode) node = json_from_string (json, NULL);
  g_autoptr (GError) error = NULL;
  gboolean is_set = dub_stream_settings_set (self, name, node, &error);

  g_assert_true (is_set == (error == NULL));
  if (!is_set) /* it says which */
    g_assert_true (g_str_has_prefix (error->message, name));
  return is_set;
}

typedef struct {
  const char *name, *json, *text; /* as a worker takes it; NULL: refused */
} Case;

static const Case cases[] = {
    {"source_language", "\"auto\"", "auto"},
    {"source_language", "\"x\"", NULL},
    {"source_language", "7", NULL},
    {"target_languages", "[\"en\",\"pt-BR\"]", "en,pt-BR"},
    {"target_languages", "[\"en,de\"]", NULL},
    {"target_languages",
        "[\"aa\",\"bb\",\"cc\",\"dd\",\"ee\",\"ff\",\"gg\",\"hh\",\"ii\"]",
        NULL},
    {"target_languages", "\"en\"", NULL},
    {"voice_profile", "\"a.b-c_1\"", "a.b-c_1"},
    {"voice_profile", "\"a b\"", NULL},
    {"output_delay_ms", "3000", "3000"},
    {"output_delay_ms", "5000.0", "5000"},
    {"output_delay_ms", "30001", NULL},
    {"output_delay_ms", "true", NULL},
    {"duck_db", "-12.5", "-12.5"},
    {"duck_db", "0.1", NULL},
    {"mix_mode", "\"remove\"", "remove"},
    {"mix_mode", "\"Remove\"", NULL},
    {"fallback_mode", "\"silence\"", "silence"},
    {"input_url", "\"rtsp://user@[::1]:8554/a?b=c\"",
        "rtsp://user@[::1]:8554/a?b=c"},
    {"input_url", "\"rtmp:///a\"", NULL},
    {"input_url", "\"rtmp://h/a b\"", NULL},
    {"input_url", "\"rtmp://h\\u009b/a\"", NULL},
    {"input_url", "\"file:///srv/a%20b.mp4\"", "file:///srv/a%20b.mp4"},
    {"input_url", "\"file://host/a\"", NULL},
    {"input_url", "\"file:a\"", NULL},
    {"input_url", "\"file:///a%2fb\"", NULL},
    {"output_url", "\"file:///srv/a.mp4\"", NULL},
    {"output_url", "\"ftp://h/a\"", NULL},
    {"output_url", "\"rtsp://h/a\"", "rtsp://h/a"},
    {"output_url", "\"srt://h:1?streamid=publish:a\"",
        "srt://h:1?streamid=publish:a"},
    {"destinations", "[]", "[]"},
    {"destinations",
        "[{\"name\":\"a\",\"url\":\"srt://h:1?streamid=publish:x\"}]",
        "[{\"name\":\"a\",\"url\":\"srt://h:1?streamid=publish:x\"}]"},
    {"destinations",
        "[{\"name\":\"a\",\"url\":\"rtmp://h/1\"},"
        "{\"name\":\"a\",\"url\":\"rtmp://h/2\"}]",
        NULL},
    {"destinations",
        "[{\"name\":\"a\",\"url\":\"rtmp://h/1\"},"
        "{\"name\":\"b\",\"url\":\"rtmp://h/1\"}]",
        NULL},
    {"destinations", "[{\"name\":\"a\",\"url\":\"rtmp://h/1\",\"x\":1}]", NULL},
    {"destinations", "[{\"name\":\"a\",\"url\":\"rtmp://h/1\",\"language\":7}]",
        NULL},
    {"destinations", "[7]", NULL},
    {"nothing", "1", NULL},
};

static void
test_set (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (DubStreamSettings) settings = dub_stream_settings_new ();

  g_assert_cmpint (set (settings, c->name, c->json), ==, c->text != NULL);
  for (DubSetting i = 0; i < DUB_N_SETTINGS; i++)
    if (g_str_equal (dub_setting_name (i), c->name))
      g_assert_cmpstr (settings->values[i], ==, c->text);
}

/* A refused value leaves what was there; null takes it back. */
static void
test_keep_and_take_back (void)
{
  g_autoptr (DubStreamSettings) settings = dub_stream_settings_new ();

  g_assert_true (set (settings, "duck_db", "-3"));
  g_assert_false (set (settings, "duck_db", "-300"));
  g_assert_cmpstr (settings->values[DUB_SETTING_DUCK_DB], ==, "-3");
  g_assert_true (set (settings, "duck_db", "null"));
  g_assert_null (settings->values[DUB_SETTING_DUCK_DB]);
}

static void
test_layers (void)
{
  g_autoptr (DubStreamSettings) all = dub_stream_settings_new ();
  g_autoptr (DubStreamSettings) query =
      dub_stream_settings_parse_query ("to=es&voice=joe");
  g_autoptr (DubStreamSettings) api = dub_stream_settings_new ();

  set (all, "voice_profile", "\"default\"");
  set (all, "duck_db", "-18");
  set (api, "target_languages", "[\"fr\"]");
  dub_stream_settings_lay (all, query);
  dub_stream_settings_lay (all, NULL);
  dub_stream_settings_lay (all, api);
  g_assert_cmpstr (all->values[DUB_SETTING_TARGET_LANGUAGES], ==, "fr");
  g_assert_cmpstr (all->values[DUB_SETTING_VOICE_PROFILE], ==, "joe");
  g_assert_cmpstr (all->values[DUB_SETTING_DUCK_DB], ==, "-18");
}

/* What is kept on disk comes back as it was. */
static void
test_json_and_back (void)
{
  g_autoptr (DubStreamSettings) before = dub_stream_settings_new ();
  g_autoptr (DubStreamSettings) after = NULL;
  g_autoptr (JsonObject) object = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    if (cases[i].text != NULL)
      set (before, cases[i].name, cases[i].json);
  object = dub_stream_settings_to_json (before, TRUE);
  after = dub_stream_settings_from_json (object);
  g_assert_true (dub_stream_settings_equal (before, after));
}

#define DESTINATIONS(key) "[{\"name\":\"a\",\"url\":\"rtmp://h/app/" key "\"}]"

/* What a page shows has no key; sent back, it gets it again. */
static void
test_keys (void)
{
  g_autoptr (DubStreamSettings) settings = dub_stream_settings_new ();
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonNode) sent = json_from_string (DESTINATIONS ("***"), NULL);
  g_autoptr (JsonNode) other = json_from_string (DESTINATIONS ("new"), NULL);
  g_autofree char *shown = NULL;
  g_autofree char *restored = NULL;
  g_autofree char *kept = NULL;

  set (settings, "destinations", DESTINATIONS ("sesame"));
  json_node_take_object (root, dub_stream_settings_to_json (settings, FALSE));
  shown = json_to_string (root, FALSE);
  g_assert_null (strstr (shown, "sesame"));
  g_assert_nonnull (strstr (shown, DESTINATIONS ("***")));
  dub_stream_settings_restore_keys (sent, settings);
  restored = json_to_string (sent, FALSE);
  g_assert_cmpstr (restored, ==, DESTINATIONS ("sesame"));
  dub_stream_settings_restore_keys (other, settings);
  kept = json_to_string (other, FALSE);
  g_assert_cmpstr (kept, ==, DESTINATIONS ("new"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf (
        "/media/stream-settings/set/%s/%" G_GSIZE_FORMAT, cases[i].name, i);

    g_test_add_data_func (path, &cases[i], test_set);
  }
  g_test_add_func (
      "/media/stream-settings/keep-and-take-back", test_keep_and_take_back);
  g_test_add_func ("/media/stream-settings/layers", test_layers);
  g_test_add_func ("/media/stream-settings/json-and-back", test_json_and_back);
  g_test_add_func ("/media/stream-settings/keys", test_keys);
  return g_test_run ();
}
