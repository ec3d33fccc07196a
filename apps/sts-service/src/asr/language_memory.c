/* SPDX-License-Identifier: Apache-2.0 */
#include "language_memory.h"

typedef struct {
  char *stream_id;
  char *settled;   /* NULL: not yet */
  char *candidate; /* what the last sure detections said */
  guint count;     /* how many of them, in a row */
} Entry;

struct _DubLanguageMemory {
  GQueue entries; /* of Entry, the one heard of last first */
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_free (entry->stream_id);
  g_free (entry->settled);
  g_free (entry->candidate);
  g_free (entry);
}

DubLanguageMemory *
dub_language_memory_new (void)
{
  return g_new0 (DubLanguageMemory, 1);
}

void
dub_language_memory_free (DubLanguageMemory *self)
{
  if (self == NULL)
    return;
  g_queue_clear_full (&self->entries, entry_free);
  g_free (self);
}

static int
is_of_stream (gconstpointer data, gconstpointer stream_id)
{
  return g_strcmp0 (((const Entry *) data)->stream_id, stream_id);
}

/* The entry of a stream, moved to the front; NULL when there is none. A few
 * hundred short strings: a walk costs less than recognition by a factor of a
 * million. */
static Entry *
find (DubLanguageMemory *self, const char *stream_id)
{
  GList *link = g_queue_find_custom (&self->entries, stream_id, is_of_stream);

  if (link == NULL)
    return NULL;
  g_queue_unlink (&self->entries, link);
  g_queue_push_head_link (&self->entries, link);
  return link->data;
}

const char *
dub_language_memory_get (DubLanguageMemory *self, const char *stream_id)
{
  Entry *entry = find (self, stream_id);

  return entry != NULL && entry->settled != NULL ? entry->settled : "auto";
}

static Entry *
find_or_add (DubLanguageMemory *self, const char *stream_id)
{
  Entry *entry = find (self, stream_id);

  if (entry != NULL)
    return entry;
  if (self->entries.length >= DUB_LANGUAGE_MEMORY_STREAMS)
    entry_free (g_queue_pop_tail (&self->entries));
  entry = g_new0 (Entry, 1);
  entry->stream_id = g_strdup (stream_id);
  g_queue_push_head (&self->entries, entry);
  return entry;
}

static void
settle (Entry *entry)
{
  g_free (entry->settled);
  entry->settled = g_steal_pointer (&entry->candidate);
  entry->count = 0;
}

void
dub_language_memory_add (DubLanguageMemory *self, const char *stream_id,
    const char *language, double probability)
{
  Entry *entry = find_or_add (self, stream_id);
  gboolean is_known = g_strcmp0 (language, entry->settled) == 0;

  /* What is unsure, or what was known, ends a row of others. */
  if (probability < DUB_LANGUAGE_SURE || is_known ||
      g_strcmp0 (language, entry->candidate) != 0) {
    g_clear_pointer (&entry->candidate, g_free);
    entry->count = 0;
  }
  if (probability < DUB_LANGUAGE_SURE || is_known)
    return;
  if (entry->candidate == NULL)
    entry->candidate = g_strdup (language);
  entry->count++;
  if (entry->settled == NULL ? entry->count >= DUB_LANGUAGE_SETTLE ||
                                   probability >= DUB_LANGUAGE_CERTAIN
                             : entry->count >= DUB_LANGUAGE_CHANGE)
    settle (entry);
}
