/* SPDX-License-Identifier: Apache-2.0 */
#include "avcc.h"

#include <string.h>

#define NAL_SPS 7
#define NAL_PPS 8
#define MAX_SETS 31 /* five bits count the SPS */
#define MAX_PPS 255
#define HEADER_SIZE 6
#define HVCC_LENGTH_AT 21

/* A piece of someone else's memory. */
typedef struct {
  const guint8 *data;
  gsize size;
} Span;

typedef struct {
  Span sps[MAX_SETS];
  Span pps[MAX_PPS];
  guint n_sps, n_pps;
} Sets;

guint
dub_avcc_get_length_size (GBytes *codec_data)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (codec_data, &size);

  return size > HEADER_SIZE && data[0] == 1 ? (data[4] & 3) + 1u : 0;
}

guint
dub_hvcc_get_length_size (GBytes *codec_data)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (codec_data, &size);

  return size > HVCC_LENGTH_AT && data[0] == 1 ? (data[HVCC_LENGTH_AT] & 3) + 1u
                                               : 0;
}

/* The next NAL unit of a buffer of length-prefixed ones. */
static gboolean
next_nal (Span *rest, guint length_size, Span *ret_nal)
{
  gsize length = 0;

  if (rest->size <= length_size)
    return FALSE;
  for (guint i = 0; i < length_size; i++)
    length = length << 8 | rest->data[i];
  if (length == 0 || length > rest->size - length_size)
    return FALSE;
  *ret_nal = (Span){rest->data + length_size, length};
  rest->data += length_size + length;
  rest->size -= length_size + length;
  return TRUE;
}

gboolean
dub_avcc_is_whole (GBytes *unit, guint length_size)
{
  gsize size, at = 0;
  gboolean has_nal = FALSE;
  const guint8 *data = g_bytes_get_data (unit, &size);

  while (size - at >= length_size && size > at) {
    gsize length = 0;

    for (guint i = 0; i < length_size; i++)
      length = length << 8 | data[at + i];
    at += length_size;
    if (length > size - at)
      return FALSE;
    at += length;
    has_nal |= length > 0; /* some encoders write empty ones between */
  }
  return has_nal && at == size;
}

static void
add (Span *list, guint *n, guint max, Span nal)
{
  if (*n < max && nal.size <= G_MAXUINT16)
    list[(*n)++] = nal;
}

static void
find_in_unit (Span rest, guint length_size, Sets *sets)
{
  Span nal;

  while (next_nal (&rest, length_size, &nal)) {
    guint type = nal.data[0] & 0x1f;

    /* The profile is read from bytes 1 to 3. */
    if (type == NAL_SPS && nal.size >= 4)
      add (sets->sps, &sets->n_sps, MAX_SETS, nal);
    else if (type == NAL_PPS)
      add (sets->pps, &sets->n_pps, MAX_PPS, nal);
  }
}

/* FALSE when the record is broken. */
static gboolean
find_in_config (Span rest, Sets *sets)
{
  guint n;
  Span nal;

  n = rest.data[5] & 0x1f;
  rest.data += HEADER_SIZE;
  rest.size -= HEADER_SIZE;
  for (; n > 0; n--) {
    if (!next_nal (&rest, 2, &nal))
      return FALSE;
    add (sets->sps, &sets->n_sps, MAX_SETS, nal);
  }
  if (rest.size == 0)
    return FALSE;
  n = rest.data[0];
  rest.data++;
  rest.size--;
  for (; n > 0; n--) {
    if (!next_nal (&rest, 2, &nal))
      return FALSE;
    add (sets->pps, &sets->n_pps, MAX_PPS, nal);
  }
  return TRUE;
}

static gboolean
contains (const Span *list, guint n, Span nal)
{
  for (guint i = 0; i < n; i++)
    if (list[i].size == nal.size &&
        memcmp (list[i].data, nal.data, nal.size) == 0)
      return TRUE;
  return FALSE;
}

/* Are all the sets of the unit known? */
static gboolean
are_known (const Sets *known, const Sets *seen)
{
  for (guint i = 0; i < seen->n_sps; i++)
    if (!contains (known->sps, known->n_sps, seen->sps[i]))
      return FALSE;
  for (guint i = 0; i < seen->n_pps; i++)
    if (!contains (known->pps, known->n_pps, seen->pps[i]))
      return FALSE;
  return TRUE;
}

static void
put_sets (GByteArray *to, const Span *list, guint n)
{
  for (guint i = 0; i < n; i++) {
    guint8 size[2] = {(guint8) (list[i].size >> 8), (guint8) list[i].size};

    g_byte_array_append (to, size, sizeof size);
    g_byte_array_append (to, list[i].data, (guint) list[i].size);
  }
}

/* The record without its optional end (chroma format and SPS extensions of
 * the high profiles), which decoders read from the SPS itself. */
static GBytes *
write_config (const Sets *sets, guint length_size)
{
  GByteArray *out = g_byte_array_new ();
  const guint8 *profile = sets->sps[0].data + 1;
  guint8 header[HEADER_SIZE] = {1, profile[0], profile[1], profile[2],
      (guint8) (0xfc | (length_size - 1)), (guint8) (0xe0 | sets->n_sps)};
  guint8 n_pps = (guint8) sets->n_pps;

  g_byte_array_append (out, header, sizeof header);
  put_sets (out, sets->sps, sets->n_sps);
  g_byte_array_append (out, &n_pps, 1);
  put_sets (out, sets->pps, sets->n_pps);
  return g_byte_array_free_to_bytes (out);
}

GBytes *
dub_avcc_update (GBytes *codec_data, GBytes *unit)
{
  guint length_size = dub_avcc_get_length_size (codec_data);
  g_autofree Sets *known = g_new0 (Sets, 1);
  g_autofree Sets *seen = g_new0 (Sets, 1);
  Span config, rest;

  config.data = g_bytes_get_data (codec_data, &config.size);
  rest.data = g_bytes_get_data (unit, &rest.size);
  if (length_size == 0 || rest.size == 0)
    return NULL;
  find_in_unit (rest, length_size, seen);
  if (seen->n_sps == 0 || seen->n_pps == 0 || !find_in_config (config, known) ||
      are_known (known, seen))
    return NULL;
  return write_config (seen, length_size);
}
