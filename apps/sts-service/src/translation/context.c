/* SPDX-License-Identifier: Apache-2.0 */
#include "context.h"

typedef struct {
  guint64 sequence_number;
  gint64 said_ns;
  char *text;
} Sentence;

typedef struct {
  char *id;
  GQueue sentences; /* of Sentence, by sequence number */
  gint64 used_ns;
} Stream;

struct _DubContext {
  guint max_sentences;
  gint64 max_age_ns;
  GHashTable *streams; /* id → Stream */
};

static void
sentence_free (gpointer data)
{
  Sentence *sentence = data;

  g_free (sentence->text);
  g_free (sentence);
}

static void
stream_free (gpointer data)
{
  Stream *stream = data;

  g_queue_clear_full (&stream->sentences, sentence_free);
  g_free (stream->id);
  g_free (stream);
}

DubContext *
dub_context_new (guint max_sentences, gint64 max_age_ns)
{
  DubContext *self = g_new0 (DubContext, 1);

  self->max_sentences = max_sentences;
  self->max_age_ns = max_age_ns;
  self->streams =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, stream_free);
  return self;
}

void
dub_context_free (DubContext *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->streams);
  g_free (self);
}

static void
drop_longest_unused (DubContext *self)
{
  GHashTableIter iter;
  gpointer value;
  const Stream *oldest = NULL;

  g_hash_table_iter_init (&iter, self->streams);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (oldest == NULL || ((Stream *) value)->used_ns < oldest->used_ns)
      oldest = value;
  if (oldest != NULL)
    g_hash_table_remove (self->streams, oldest->id);
}

static Stream *
stream_of (DubContext *self, const char *id)
{
  Stream *stream = g_hash_table_lookup (self->streams, id);

  if (stream != NULL)
    return stream;
  if (g_hash_table_size (self->streams) >= DUB_CONTEXT_MAX_STREAMS)
    drop_longest_unused (self);
  stream = g_new0 (Stream, 1);
  stream->id = g_strdup (id);
  g_queue_init (&stream->sentences);
  g_hash_table_insert (self->streams, stream->id, stream);
  return stream;
}

static int
compare (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const Sentence *left = a, *right = b;

  if (left->sequence_number == right->sequence_number)
    return 0;
  return left->sequence_number < right->sequence_number ? -1 : 1;
}

void
dub_context_add (DubContext *self, const char *stream_id,
    guint64 sequence_number, const char *text, gint64 now_ns)
{
  Stream *stream = NULL;
  Sentence *sentence = NULL;

  if (self->max_sentences == 0)
    return;
  stream = stream_of (self, stream_id);
  stream->used_ns = now_ns;
  sentence = g_new0 (Sentence, 1);
  sentence->sequence_number = sequence_number;
  sentence->said_ns = now_ns;
  sentence->text = g_utf8_substring (
      text, 0, MIN (g_utf8_strlen (text, -1), DUB_CONTEXT_MAX_CHARS));
  g_queue_insert_sorted (&stream->sentences, sentence, compare, NULL);
  while (g_queue_get_length (&stream->sentences) > self->max_sentences)
    sentence_free (g_queue_pop_head (&stream->sentences));
}

char **
dub_context_get (DubContext *self, const char *stream_id,
    guint64 sequence_number, gint64 now_ns)
{
  g_autoptr (GStrvBuilder) texts = g_strv_builder_new ();
  Stream *stream = g_hash_table_lookup (self->streams, stream_id);

  for (GList *l = stream != NULL ? stream->sentences.head : NULL; l != NULL;
       l = l->next) {
    const Sentence *sentence = l->data;

    if (sentence->sequence_number < sequence_number &&
        now_ns - sentence->said_ns <= self->max_age_ns)
      g_strv_builder_add (texts, sentence->text);
  }
  return g_strv_builder_end (texts);
}

guint
dub_context_count_streams (const DubContext *self)
{
  return g_hash_table_size (self->streams);
}
