/* SPDX-License-Identifier: Apache-2.0 */
#include "streams/streams.h"

#include <string.h>

typedef struct {
  const char *event, *data, *line; /* NULL: nothing for people */
} Case;

static const Case cases[] = {
    {"state",
        "{\"stream_id\":\"demo\",\"state\":\"running\",\"worker_state\":"
        "\"source_lost\"}",
        "demo                     running  source_lost"},
    {"segment",
        "{\"stream_id\":\"demo\",\"phase\":\"said\",\"transcript\":\"hola\","
        "\"translated_text\":\"hello\"}",
        "demo                     said     hello"},
    {"segment",
        "{\"stream_id\":\"demo\",\"phase\":\"heard\",\"transcript\":\"hola\","
        "\"translated_text\":null}",
        "demo                     heard    hola"},
    {"segment",
        "{\"stream_id\":\"demo\",\"phase\":\"kept\",\"reason\":\"timeout\"}",
        "demo                     kept     timeout"},
    {"segment",
        "{\"stream_id\":\"demo\",\"phase\":\"heard\",\"transcript\":"
        "\"a\\u001b[2Jb\"}",
        "demo                     heard    a [2Jb"},
    {"gone", "{\"stream_id\":\"demo\"}", "demo                     gone"},
    {"figures", "{\"stream_id\":\"demo\"}", NULL},
    {"state", "[]", NULL},
    {"state", "no JSON", NULL},
};

static void
test_lines (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *line = dub_event_line (cases[i].event, cases[i].data);

    g_assert_cmpstr (line, ==, cases[i].line);
  }
}

/* Comments, numbers and half an event are no event. */
static void
test_text (void)
{
  static const char *const lines[] = {
      "retry: 2000", "", ": ping", "", "id: 7", "event: gone", "data: {}", ""};
  DubEventText text = {NULL, NULL};
  guint n = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    if (dub_event_text_take (&text, lines[i])) {
      n++;
      g_assert_cmpstr (text.event, ==, "gone");
      g_assert_cmpstr (text.data, ==, "{}");
    }
  g_assert_cmpuint (n, ==, 1);
  g_assert_false (dub_event_text_take (&text, "event: state"));
  g_assert_false (dub_event_text_take (&text, "")); /* without data */
  dub_event_text_clear (&text);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dub/event-line/lines", test_lines);
  g_test_add_func ("/dub/event-line/text", test_text);
  return g_test_run ();
}
