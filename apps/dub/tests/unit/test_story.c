/* SPDX-License-Identifier: Apache-2.0 */
#include "run/story.h"

static char *
take (DubStory *story, const char *event, const char *json)
{
  g_autoptr (JsonNode) node = json_from_string (json, NULL);

  return dub_story_take (story, event, json_node_get_object (node));
}

static void
test_dub (void)
{
  DubStory story = {0};
  g_autofree char *line = take (&story, "dub_started",
      "{\"media_s\": \"72.34\", \"duration_s\": \"2.10\", \"transcript\": "
      "\" Buenas noches. \", \"translated_text\": \"Good evening.\"}");

  g_assert_cmpstr (line, ==,
      "[01:12.3] heard  Buenas noches.\n"
      "[01:12.3] said   Good evening.  (2.1 s)");
  g_assert_cmpuint (story.dubs, ==, 1);
}

static void
test_kept (void)
{
  DubStory story = {0};
  g_autofree char *one = take (
      &story, "fallback", "{\"media_s\": \"1\", \"detail\": \"timeout\"}");
  g_autofree char *two = take (&story, "dub_dropped",
      "{\"detail\": \"failed\", \"error_code\": \"NO_SPEECH\"}");

  g_assert_cmpstr (one, ==, "[00:01.0] kept   the original sound (timeout)");
  g_assert_cmpstr (two, ==, "[00:00.0] kept   the original sound (no speech)");
  g_assert_cmpuint (story.kept, ==, 2);
  g_assert_cmpuint (story.dubs, ==, 0);
}

/* How often, and why. */
static void
test_reasons (void)
{
  static const char *const kept[] = {
      "{\"detail\": \"failed\", \"error_code\": \"NO_SPEECH\", "
      "\"error_message\": \"no speech to dub: low_confidence\"}",
      "{\"detail\": \"failed\", \"error_code\": "
      "\"DURATION_MISMATCH_EXCEEDED\", \"error_message\": \"30 % too long\"}",
      "{\"detail\": \"failed\", \"error_code\": \"NO_SPEECH\", "
      "\"error_message\": \"no speech to dub: low_confidence\"}",
      "{\"detail\": \"failed\", \"error_code\": \"SMOKE\"}",
      "{\"detail\": \"disconnected\"}"};
  DubStory story = {0};
  g_autofree char *none = dub_story_reasons (&story);
  g_autofree char *all = NULL;

  g_assert_cmpstr (none, ==, "");
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    g_free (take (&story, "fallback", kept[i]));
  all = dub_story_reasons (&story);
  g_assert_cmpuint (story.kept, ==, 5);
  g_assert_cmpstr (all, ==,
      "2 unsure of what was said, 1 too long for its place, 1 SMOKE, "
      "1 disconnected");
}

/* A service may name as many reasons as it likes. */
static void
test_many_reasons (void)
{
  DubStory story = {0};
  g_autofree char *all = NULL;

  for (int i = 0; i < 100; i++) {
    g_autofree char *json =
        g_strdup_printf ("{\"error_code\": \"CODE_%d\"}", i);

    g_free (take (&story, "fallback", json));
  }
  all = dub_story_reasons (&story);
  g_assert_true (g_str_has_prefix (all, "93 other, 1 CODE_0, "));
}

/* Of a live stream it is told what is there and what is away, each once. */
static void
test_parts (void)
{
  static const struct {
    const char *event, *json, *line;
  } cases[] = {
      {"state", "{\"state\": \"starting\"}", NULL},
      {"state", "{\"state\": \"starting\", \"reason\": \"rtmp://h/a: no\"}",
          "           input  is not there yet: rtmp://h/a: no"},
      {"state", "{\"state\": \"starting\", \"reason\": \"rtmp://h/a: no\"}",
          NULL},
      {"state", "{\"state\": \"running\"}", "           input  is there"},
      {"service_ready", "{}", "           speech service is ready"},
      {"output_lost", "{\"text\": \"refused\\u001b[2J\"}",
          "           output is away: refused [2J"},
      {"output_lost", "{\"text\": \"refused\\u001b[2J\"}", NULL},
      {"output_running", "{}", "           output is on air"},
      {"output_lost", "{\"text\": \"cut\"}", "           output is away: cut"},
      {"service_lost", "{\"text\": \"gone\"}",
          "           speech service is away: gone"},
      {"state", "{\"state\": \"source_lost\", \"reason\": \"ended\"}",
          "           input  is lost: ended"},
      {"state", "{\"state\": \"stopping\", \"reason\": \"x\"}", NULL},
  };
  DubStory story = {.is_live = TRUE}, file = {0};

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *line = take (&story, cases[i].event, cases[i].json);

    g_assert_cmpstr (line, ==, cases[i].line);
    g_assert_null (take (&file, cases[i].event, cases[i].json));
  }
}

/* Speech is outside text. */
static void
test_plain (void)
{
  DubStory story = {0};
  g_autofree char *line = take (
      &story, "dub_started", "{\"translated_text\": \"a\\u001b[31m\\nb\"}");

  g_assert_cmpstr (line, ==, "[00:00.0] said   a [31m b  (0.0 s)");
}

static void
test_silent (void)
{
  DubStory story = {0};

  g_assert_null (dub_story_take (&story, "segment", NULL));
  g_assert_null (dub_story_take (&story, "fragment_sent", NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dub/story/dub", test_dub);
  g_test_add_func ("/dub/story/kept", test_kept);
  g_test_add_func ("/dub/story/reasons", test_reasons);
  g_test_add_func ("/dub/story/many-reasons", test_many_reasons);
  g_test_add_func ("/dub/story/parts", test_parts);
  g_test_add_func ("/dub/story/plain", test_plain);
  g_test_add_func ("/dub/story/silent", test_silent);
  return g_test_run ();
}
