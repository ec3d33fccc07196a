/* SPDX-License-Identifier: Apache-2.0 */
#include "sound_store.h"

#include <string.h>

typedef struct {
  gint64 first_frame;
  DubPcm *pcm;
} Block;

struct _DubSoundStore {
  guint channels;
  GArray *blocks; /* Block, from head on */
  guint head;
  gint64 end_frame;
};

DubSoundStore *
dub_sound_store_new (guint channels)
{
  DubSoundStore *self = g_new0 (DubSoundStore, 1);

  self->channels = channels;
  self->blocks = g_array_new (FALSE, FALSE, sizeof (Block));
  return self;
}

void
dub_sound_store_free (DubSoundStore *self)
{
  if (self == NULL)
    return;
  for (guint i = self->head; i < self->blocks->len; i++)
    dub_pcm_unref (g_array_index (self->blocks, Block, i).pcm);
  g_array_unref (self->blocks);
  g_free (self);
}

void
dub_sound_store_append (DubSoundStore *self, gint64 first_frame, DubPcm *pcm)
{
  Block block = {first_frame, pcm};

  g_return_if_fail (first_frame >= self->end_frame);
  g_return_if_fail (pcm->channels == self->channels);
  g_array_append_val (self->blocks, block);
  self->end_frame = first_frame + (gint64) pcm->frames;
}

static gint64
block_end (const Block *block)
{
  return block->first_frame + (gint64) block->pcm->frames;
}

/* The first block that ends after frame; blocks->len if none. */
static guint
find (const DubSoundStore *self, gint64 frame)
{
  guint low = self->head, high = self->blocks->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (block_end (&g_array_index (self->blocks, Block, middle)) > frame)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

gsize
dub_sound_store_read (
    const DubSoundStore *self, gint64 first_frame, gsize frames, gint16 *out)
{
  gsize width = self->channels * sizeof (gint16);
  gint64 end = first_frame + (gint64) frames;
  gint64 at = first_frame;
  gsize found = 0;

  for (guint i = find (self, first_frame); i < self->blocks->len && at < end;
       i++) {
    const Block *block = &g_array_index (self->blocks, Block, i);
    gint64 from = MAX (at, block->first_frame);
    gint64 to = MIN (end, block_end (block));

    if (from >= end)
      break;
    memset (out + (at - first_frame) * self->channels, 0, (from - at) * width);
    memcpy (out + (from - first_frame) * self->channels,
        block->pcm->samples + (from - block->first_frame) * self->channels,
        (to - from) * width);
    found += to - from;
    at = to;
  }
  memset (out + (at - first_frame) * self->channels, 0, (end - at) * width);
  return found;
}

void
dub_sound_store_discard_before (DubSoundStore *self, gint64 frame)
{
  guint keep = find (self, frame);

  for (; self->head < keep; self->head++)
    dub_pcm_unref (g_array_index (self->blocks, Block, self->head).pcm);
  if (self->head >= 64) {
    g_array_remove_range (self->blocks, 0, self->head);
    self->head = 0;
  }
}

gint64
dub_sound_store_begin (const DubSoundStore *self)
{
  if (self->head == self->blocks->len)
    return self->end_frame;
  return g_array_index (self->blocks, Block, self->head).first_frame;
}

gint64
dub_sound_store_end (const DubSoundStore *self)
{
  return self->end_frame;
}
