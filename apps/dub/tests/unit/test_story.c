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
  g_assert_cmpstr (
      two, ==, "[00:00.0] kept   the original sound (failed: NO_SPEECH)");
  g_assert_cmpuint (story.kept, ==, 2);
  g_assert_cmpuint (story.dubs, ==, 0);
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
  g_test_add_func ("/dub/story/silent", test_silent);
  return g_test_run ();
}
