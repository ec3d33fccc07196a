/* SPDX-License-Identifier: Apache-2.0 */
#include "mp4_box.h"

#include <string.h>

void
dub_mp4_put_u8 (GByteArray *to, guint value)
{
  guint8 byte = (guint8) value;

  g_byte_array_append (to, &byte, 1);
}

void
dub_mp4_put_u16 (GByteArray *to, guint value)
{
  dub_mp4_put_u8 (to, value >> 8);
  dub_mp4_put_u8 (to, value);
}

void
dub_mp4_put_u32 (GByteArray *to, guint32 value)
{
  dub_mp4_put_u16 (to, value >> 16);
  dub_mp4_put_u16 (to, value & 0xffff);
}

void
dub_mp4_put_u64 (GByteArray *to, guint64 value)
{
  dub_mp4_put_u32 (to, (guint32) (value >> 32));
  dub_mp4_put_u32 (to, (guint32) value);
}

void
dub_mp4_put_zeros (GByteArray *to, guint n)
{
  while (n-- > 0)
    dub_mp4_put_u8 (to, 0);
}

void
dub_mp4_put_text (GByteArray *to, const char *text)
{
  g_byte_array_append (to, (const guint8 *) text, (guint) strlen (text));
}

void
dub_mp4_put_bytes (GByteArray *to, GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);

  g_byte_array_append (to, data, (guint) size);
}

guint
dub_mp4_box_begin (GByteArray *to, const char *type)
{
  guint at = to->len;

  dub_mp4_put_u32 (to, 0);
  dub_mp4_put_text (to, type);
  return at;
}

guint
dub_mp4_full_box_begin (GByteArray *to, const char *type, guint32 version_flags)
{
  guint at = dub_mp4_box_begin (to, type);

  dub_mp4_put_u32 (to, version_flags);
  return at;
}

void
dub_mp4_set_u32 (GByteArray *to, guint at, guint32 value)
{
  value = GUINT32_TO_BE (value);
  memcpy (to->data + at, &value, sizeof value);
}

void
dub_mp4_box_end (GByteArray *to, guint at)
{
  dub_mp4_set_u32 (to, at, to->len - at);
}

DubMp4Runs
dub_mp4_runs_begin (GByteArray *to)
{
  DubMp4Runs runs = {.to = to, .count_at = to->len};

  dub_mp4_put_u32 (to, 0);
  return runs;
}

static void
runs_flush (DubMp4Runs *runs)
{
  if (runs->length == 0)
    return;
  dub_mp4_put_u32 (runs->to, runs->length);
  dub_mp4_put_u32 (runs->to, runs->value);
  runs->runs++;
  runs->length = 0;
}

void
dub_mp4_runs_add (DubMp4Runs *runs, guint32 value)
{
  if (value != runs->value)
    runs_flush (runs);
  runs->value = value;
  runs->length++;
}

void
dub_mp4_runs_end (DubMp4Runs *runs)
{
  runs_flush (runs);
  dub_mp4_set_u32 (runs->to, runs->count_at, runs->runs);
}
