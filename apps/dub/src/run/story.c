/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

#include "events.h"

#include <string.h>

static char *
line_of (JsonObject *fields, const char *what, const char *text)
{
  double seconds = dub_event_number (fields, "media_s");
  guint tenths = (guint) (MAX (seconds, 0) * 10);

  return g_strdup_printf ("[%02u:%02u.%u] %-6s %s", tenths / 600,
      tenths / 10 % 60, tenths % 10, what, text);
}

static char *
tell_dub (JsonObject *fields)
{
  const char *heard = dub_event_text (fields, "transcript", "");
  g_autofree char *said =
      g_strdup (dub_event_text (fields, "translated_text", ""));
  g_autofree char *text = g_strdup_printf ("%s  (%.1f s)", g_strstrip (said),
      dub_event_number (fields, "duration_s"));
  g_autofree char *said_line = line_of (fields, "said", text);
  g_autofree char *heard_line = NULL;
  g_autofree char *stripped = NULL;

  if (*heard == '\0')
    return g_steal_pointer (&said_line);
  stripped = g_strstrip (g_strdup (heard));
  heard_line = line_of (fields, "heard", stripped);
  return g_strdup_printf ("%s\n%s", heard_line, said_line);
}

char *
dub_story_take (DubStory *self, const char *event, JsonObject *fields)
{
  if (strcmp (event, "dub_started") == 0) {
    self->dubs++;
    return tell_dub (fields);
  }
  if (strcmp (event, "fallback") == 0 || strcmp (event, "dub_dropped") == 0) {
    const char *code = dub_event_text (fields, "error_code", "");
    g_autofree char *text = g_strdup_printf ("the original sound (%s%s%s)",
        dub_event_text (fields, "detail", "no answer"), *code ? ": " : "",
        code);

    self->kept++;
    return line_of (fields, "kept", text);
  }
  if (strcmp (event, "source_lost") == 0 || strcmp (event, "hold_begin") == 0)
    return line_of (fields, "lost", "the source is away");
  return NULL;
}
