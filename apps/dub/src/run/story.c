/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

#include "events.h"

#include <string.h>

static char *
make_plain (char *line)
{
  for (char *at = line; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      *at = ' ';
  return line;
}

static char *
line_of (JsonObject *fields, const char *what, const char *text)
{
  double seconds = dub_event_number (fields, "media_s");
  guint tenths = (guint) (MAX (seconds, 0) * 10);

  return make_plain (g_strdup_printf ("[%02u:%02u.%u] %-6s %s", tenths / 600,
      tenths / 10 % 60, tenths % 10, what, text));
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

/* ---- why the original stays ---- */

/* What a service says of a piece that it will not dub, and of one that it
 * cannot, in words for people. */
static const struct {
  const char *said, *name;
} known[] = {
    {"no speech to dub: empty", "no words"},
    {"no speech to dub: no_speech", "no speech"},
    {"no speech to dub: low_confidence", "unsure of what was said"},
    {"no speech to dub: repetition", "heard the same over and over"},
    {"no speech to dub: too_dense", "more words than fit into the time"},
    {"no speech to dub: stock_phrase", "a phrase that is heard in noise"},
    {"no speech to dub: wrong_language", "another language"},
    {"no speech to dub: prompt", "heard its own prompt"},
    {"DURATION_MISMATCH_EXCEEDED", "too long for its place"},
    {"NO_SPEECH", "no speech"},
    {"TIMEOUT", "no answer in time"},
};

/* The service's words, else its code, else what the worker calls it. */
static const char *
reason_of (JsonObject *fields)
{
  const char *code = dub_event_text (fields, "error_code", "");
  const char *words = dub_event_text (fields, "error_message", "");

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (known[i].said, words) || g_str_equal (known[i].said, code))
      return known[i].name;
  return *code != '\0' ? code : dub_event_text (fields, "detail", "no answer");
}

static void
count_reason (DubStory *self, const char *name)
{
  DubStoryReason *reason = self->reasons;
  const DubStoryReason *last = &self->reasons[DUB_STORY_REASONS - 1];

  while (reason < last && reason->count > 0 &&
         strncmp (reason->name, name, sizeof reason->name - 1) != 0)
    reason++;
  if (reason->count++ == 0)
    g_strlcpy (
        reason->name, reason == last ? "other" : name, sizeof reason->name);
}

char *
dub_story_reasons (const DubStory *self)
{
  GString *text = g_string_new (NULL);
  guint before = G_MAXUINT;

  while (before > 1) {
    guint count = 0;

    for (guint i = 0; i < DUB_STORY_REASONS; i++)
      if (self->reasons[i].count < before)
        count = MAX (count, self->reasons[i].count);
    for (guint i = 0; count > 0 && i < DUB_STORY_REASONS; i++)
      if (self->reasons[i].count == count)
        g_string_append_printf (text, "%s%u %s", text->len > 0 ? ", " : "",
            count, self->reasons[i].name);
    before = count;
  }
  return g_string_free (text, FALSE);
}

static char *
tell_kept (DubStory *self, JsonObject *fields)
{
  const char *reason = reason_of (fields);
  g_autofree char *text = g_strdup_printf ("the original sound (%s)", reason);

  self->kept++;
  count_reason (self, reason);
  return line_of (fields, "kept", text);
}

/* ---- what the programme stands between ---- */

static const struct {
  const char *event, *state; /* NULL: of any state */
  guint part;
  const char *what, *is_good, *is_bad;
} parts[] = {
    {"state", "running", 0, "input", "is there", NULL},
    {"state", "starting", 0, "input", NULL, "is not there yet"},
    {"state", "source_lost", 0, "input", NULL, "is lost"},
    {"output_running", NULL, 1, "output", "is on air", NULL},
    {"output_lost", NULL, 1, "output", NULL, "is away"},
    {"service_ready", NULL, 2, "speech", "service is ready", NULL},
    {"service_lost", NULL, 2, "speech", NULL, "service is away"},
};

/* Why it is not there, where it is not. */
static char *
tell_part (DubStory *self, gsize number, JsonObject *fields)
{
  const char *reason =
      dub_event_text (fields, "reason", dub_event_text (fields, "text", ""));
  const char *how = parts[number].is_good;
  g_autofree char *line = NULL;

  if (how != NULL)
    reason = "";
  else if (*reason == '\0')
    return NULL; /* it has only begun */
  else
    how = parts[number].is_bad;
  line = make_plain (g_strdup_printf ("           %-6s %s%s%s",
      parts[number].what, how, *reason != '\0' ? ": " : "", reason));
  if (self->told[parts[number].part] == g_str_hash (line))
    return NULL;
  self->told[parts[number].part] = g_str_hash (line);
  return g_steal_pointer (&line);
}

static char *
take_part (DubStory *self, const char *event, JsonObject *fields)
{
  const char *state = dub_event_text (fields, "state", "");

  for (gsize i = 0; self->is_live && i < G_N_ELEMENTS (parts); i++)
    if (g_str_equal (parts[i].event, event) &&
        (parts[i].state == NULL || g_str_equal (parts[i].state, state)))
      return tell_part (self, i, fields);
  return NULL;
}

char *
dub_story_take (DubStory *self, const char *event, JsonObject *fields)
{
  if (strcmp (event, "dub_started") == 0) {
    self->dubs++;
    return tell_dub (fields);
  }
  if (strcmp (event, "fallback") == 0 || strcmp (event, "dub_dropped") == 0)
    return tell_kept (self, fields);
  if (strcmp (event, "hold_begin") == 0)
    return line_of (fields, "hold", "all that came has left: a still picture");
  return take_part (self, event, fields);
}
