/* SPDX-License-Identifier: Apache-2.0 */
#include "tag_times.h"

#include <string.h>

#define FILE_HEADER 9
#define TAG_HEADER 11
#define BACK_POINTER 4 /* the size of the tag, behind it */
#define TAG_AUDIO 8
#define TAG_VIDEO 9

static guint32
read_24 (const guint8 *data)
{
  return (guint32) data[0] << 16 | (guint32) data[1] << 8 | data[2];
}

static void
note_tag (DubTagTimes *self, const guint8 *tag)
{
  guint8 kind = tag[0] & 0x1F;

  if ((kind != TAG_AUDIO && kind != TAG_VIDEO) || self->n == DUB_TAG_TIMES_MAX)
    return;
  self->is_video[self->n] = kind == TAG_VIDEO;
  self->ms[self->n++] = (gint64) ((guint32) tag[7] << 24 | read_24 (tag + 4));
}

void
dub_tag_times_feed (DubTagTimes *self, const guint8 *data, gsize size)
{
  gsize at = 0;

  self->n = self->next = 0;
  if (size >= FILE_HEADER && memcmp (data, "FLV", 3) == 0)
    at = FILE_HEADER + BACK_POINTER;
  while (at + TAG_HEADER <= size) {
    note_tag (self, data + at);
    at += TAG_HEADER + read_24 (data + at + 1) + BACK_POINTER;
  }
}

gboolean
dub_tag_times_take (DubTagTimes *self, gboolean is_video, gint64 *ret_ms)
{
  while (self->next < self->n) {
    guint i = self->next++;

    if (self->is_video[i] != is_video)
      continue;
    *ret_ms = self->ms[i];
    return TRUE;
  }
  return FALSE;
}
