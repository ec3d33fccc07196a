/* SPDX-License-Identifier: Apache-2.0 */
#include "reporter.h"

#define DUB_LOG_TOPIC "media.programme"
#include <dubbing_common/log.h>

/* More answers than can wait for their time are never kept; of those that were
 * answered twice, or never told of again, the oldest goes. */
#define MAX_ANSWERS 64
#define MAX_FIELDS 11
/* Of a service's words for an error. */
#define MAX_MESSAGE_LETTERS 200
/* What our own service answers to music, noise, and what it is unsure of. */
#define NO_SPEECH "NO_SPEECH"
#define NO_SPEECH_WORDS "no speech to dub: "

struct _DubReporter {
  DubControl *control;
  char *language;      /* NULL: the stream has one */
  GHashTable *answers; /* fragment id -> DubAnswer, its texts alone */
  GQueue order;        /* of the ids, oldest first; owned by the table */
};

DubReporter *
dub_reporter_new (DubControl *control, const char *language)
{
  DubReporter *self = g_new0 (DubReporter, 1);

  self->control = control;
  self->language = g_strdup (language);
  self->answers = g_hash_table_new_full (
      g_str_hash, g_str_equal, NULL, (GDestroyNotify) dub_answer_unref);
  g_queue_init (&self->order);
  return self;
}

void
dub_reporter_free (DubReporter *self)
{
  if (!self)
    return;
  g_queue_clear (&self->order);
  g_hash_table_unref (self->answers);
  g_free (self->language);
  g_free (self);
}

static void
forget (DubReporter *self, const char *fragment_id)
{
  DubAnswer *answer = g_hash_table_lookup (self->answers, fragment_id);

  if (!answer)
    return;
  g_queue_remove (&self->order, answer->fragment_id);
  g_hash_table_remove (self->answers, fragment_id);
}

/* text: (nullable). (transfer full) (nullable) */
static char *
shortened (const char *text)
{
  if (!text)
    return NULL;
  return g_utf8_substring (
      text, 0, MIN (g_utf8_strlen (text, -1), MAX_MESSAGE_LETTERS));
}

/* Without the sound, of which seconds are half a megabyte. */
static DubAnswer *
texts_of (const DubAnswer *answer)
{
  DubAnswer *texts = dub_answer_new (answer->fragment_id, answer->status);

  texts->transcript = g_strdup (answer->transcript);
  texts->translated_text = g_strdup (answer->translated_text);
  texts->error_code = g_strdup (answer->error_code);
  texts->error_message = shortened (answer->error_message);
  return texts;
}

void
dub_reporter_answer (DubReporter *self, const DubAnswer *answer)
{
  DubAnswer *texts;

  if (g_hash_table_contains (self->answers, answer->fragment_id))
    return;
  while (g_queue_get_length (&self->order) >= MAX_ANSWERS)
    forget (self, g_queue_peek_head (&self->order));
  texts = texts_of (answer);
  g_hash_table_insert (self->answers, texts->fragment_id, texts);
  g_queue_push_tail (&self->order, texts->fragment_id);
}

static double
seconds (gint64 ns)
{
  return (double) ns / 1e9;
}

/* -- the log ------------------------------------------------------------- */

static void
log_texts (const DubProgrammeEvent *event, const DubAnswer *answer)
{
  if (answer && dub_log_is_enabled (DUB_LOG_DEBUG))
    dub_log_fragment (DUB_LOG_DEBUG, event->fragment_id, "\"%s\" as \"%s\"",
        answer->transcript ? answer->transcript : "",
        answer->translated_text ? answer->translated_text : "");
}

static gboolean
is_without_speech (const DubAnswer *answer)
{
  return answer && g_strcmp0 (answer->error_code, NO_SPEECH) == 0;
}

/* Music that keeps its original is as it should be. */
static DubLogLevel
level_of (const DubProgrammeEvent *event, const DubAnswer *answer)
{
  if (event->type == DUB_EVENT_FALLBACK && is_without_speech (answer))
    return DUB_LOG_DEBUG;
  switch (event->type) {
    case DUB_EVENT_STARTED:
    case DUB_EVENT_EPOCH:
    case DUB_EVENT_HOLD_BEGIN:
    case DUB_EVENT_HOLD_END:
    case DUB_EVENT_DRAINED:
      return DUB_LOG_INFO;
    case DUB_EVENT_FALLBACK:
    case DUB_EVENT_DUB_DROPPED:
    case DUB_EVENT_BREAKER:
      return DUB_LOG_WARNING;
    case DUB_EVENT_SOUND_GAP:
    case DUB_EVENT_SOUND_OVERLAP:
    case DUB_EVENT_SEGMENT:
    case DUB_EVENT_FRAGMENT_SENT:
    case DUB_EVENT_ANSWERED:
    case DUB_EVENT_ANSWER_IGNORED:
    case DUB_EVENT_DUB_STARTED:
    case DUB_EVENT_DUB_HEARD:
      return DUB_LOG_DEBUG;
    default:
      return DUB_LOG_TRACE;
  }
}

/* The service's code, and of its words those that are our own and no part of
 * what was said. (transfer full) */
static char *
reason_of (const DubProgrammeEvent *event, const DubAnswer *answer)
{
  const char *words = answer ? answer->error_message : NULL;

  if (!answer || !answer->error_code)
    return g_strdup (event->detail ? event->detail : "");
  if (words && g_str_has_prefix (words, NO_SPEECH_WORDS))
    return g_strdup_printf (
        "%s (%s)", answer->error_code, words + strlen (NO_SPEECH_WORDS));
  return g_strdup_printf (
      "%s, %s", event->detail ? event->detail : "failed", answer->error_code);
}

static void
log_event (
    DubReporter *self, const DubProgrammeEvent *event, const DubAnswer *answer)
{
  DubLogLevel level = level_of (event, answer);
  const char *fields[] = {
      "language", self->language, "fragment_id", event->fragment_id, NULL};
  g_autofree char *reason = NULL;

  if (!dub_log_is_enabled (level))
    return;
  reason = reason_of (event, answer);
  dub_log_fields (level, DUB_LOG_TOPIC, fields, "%s at %.3f s%s%s",
      dub_programme_event_type_to_string (event->type),
      seconds (event->media_ns), *reason ? ": " : "", reason);
}

/* -- the control socket -------------------------------------------------- */

typedef struct {
  const char *pairs[2 * MAX_FIELDS + 1];
  char *owned[MAX_FIELDS];
  guint n;
} Fields;

/* text: (transfer full) (nullable) */
static void
take_field (Fields *fields, const char *key, char *text)
{
  if (!text)
    return;
  fields->pairs[2 * fields->n] = key;
  fields->pairs[2 * fields->n + 1] = text;
  fields->owned[fields->n++] = text;
}

static void
clear_fields (Fields *fields)
{
  for (guint i = 0; i < fields->n; i++)
    g_free (fields->owned[i]);
}

static char *
number_text (const char *format, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  return g_strdup (g_ascii_formatd (buffer, sizeof buffer, format, value));
}

static void
send_event (
    DubReporter *self, const DubProgrammeEvent *event, const DubAnswer *answer)
{
  Fields fields = {0};

  take_field (&fields, "language", g_strdup (self->language));
  take_field (&fields, "fragment_id", g_strdup (event->fragment_id));
  if (event->fragment_id)
    take_field (
        &fields, "number", number_text ("%.0f", (double) event->number));
  take_field (
      &fields, "media_s", number_text ("%.3f", seconds (event->media_ns)));
  take_field (&fields, "duration_s",
      number_text ("%.3f", seconds (event->duration_ns)));
  take_field (
      &fields, "lag_ms", number_text ("%.0f", (double) event->lag_ns / 1e6));
  take_field (&fields, "detail", g_strdup (event->detail));
  if (answer) {
    take_field (&fields, "transcript", g_strdup (answer->transcript));
    take_field (&fields, "translated_text", g_strdup (answer->translated_text));
    take_field (&fields, "error_code", g_strdup (answer->error_code));
    take_field (&fields, "error_message", g_strdup (answer->error_message));
  }
  dub_control_send_event (self->control,
      dub_programme_event_type_to_string (event->type), fields.pairs);
  clear_fields (&fields);
}

static gboolean
is_of_single_unit (const DubProgrammeEvent *event)
{
  switch (event->type) {
    case DUB_EVENT_VIDEO_DROPPED:
    case DUB_EVENT_SOUND_DROPPED:
    case DUB_EVENT_SOUND_GAP:
    case DUB_EVENT_SOUND_OVERLAP:
      return TRUE;
    default:
      return FALSE;
  }
}

/* A second answer is ignored while the first may still wait for its time. */
static gboolean
is_last_of_fragment (const DubProgrammeEvent *event)
{
  switch (event->type) {
    case DUB_EVENT_DUB_HEARD:
    case DUB_EVENT_DUB_DROPPED:
    case DUB_EVENT_FALLBACK:
      return TRUE;
    case DUB_EVENT_ANSWER_IGNORED:
      return g_strcmp0 (event->detail, "duplicate") != 0;
    default:
      return FALSE;
  }
}

void
dub_reporter_event (DubReporter *self, const DubProgrammeEvent *event)
{
  const DubAnswer *answer =
      event->fragment_id
          ? g_hash_table_lookup (self->answers, event->fragment_id)
          : NULL;

  log_event (self, event, answer);
  if (event->type == DUB_EVENT_DUB_STARTED)
    log_texts (event, answer);
  if (self->control && !is_of_single_unit (event))
    send_event (self, event, answer);
  if (answer && is_last_of_fragment (event))
    forget (self, event->fragment_id);
}

void
dub_reporter_notice (DubReporter *self, const char *event, const char *text)
{
  const char *fields[] = {text ? "text" : NULL, text, NULL};

  if (self->control)
    dub_control_send_event (self->control, event, fields);
}
