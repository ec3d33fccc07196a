/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/base64.h"
#include "dubbing_common/error.h"

#include <string.h>

enum { BAD = 0x80, SPACE, PAD };

/* What a character stands for: 0 to 63, or one of the three above. */
static guint8 values[256];

static void
init_values (void)
{
  static gsize once = 0;
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
  static const char spaces[] = " \t\r\n\f\v";

  if (!g_once_init_enter (&once))
    return;
  memset (values, BAD, sizeof values);
  for (guint i = 0; i < 64; i++)
    values[(guchar) alphabet[i]] = (guint8) i;
  for (guint i = 0; spaces[i] != '\0'; i++)
    values[(guchar) spaces[i]] = SPACE;
  values['='] = PAD;
  g_once_init_leave (&once, 1);
}

char *
dub_base64_encode (GBytes *bytes)
{
  gsize size;
  const guint8 *data;

  g_return_val_if_fail (bytes != NULL, NULL);
  data = g_bytes_get_data (bytes, &size);
  return g_base64_encode (data, size);
}

typedef struct {
  guint8 *data;
  gsize size, capacity, max_bytes;
  guint32 bits;
  guint n_sextets; /* of the group of four that is open */
  guint n_pads;
} Decoder;

/* Writes the n bytes that the open group holds. */
static gboolean
decoder_flush (Decoder *self, guint n)
{
  if (self->max_bytes - self->size < n)
    return FALSE;
  g_assert (self->size + n <= self->capacity);
  for (guint i = 0; i < n; i++)
    self->data[self->size++] = (guint8) (self->bits >> (16 - 8 * i));
  self->bits = 0;
  self->n_sextets = 0;
  return TRUE;
}

static gboolean
set_invalid (GError **error, guchar c, gsize position)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "base64: unexpected character 0x%02x at position %" G_GSIZE_FORMAT, c,
      position);
  return FALSE;
}

static gboolean
set_too_large (GError **error, gsize max_bytes)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
      "base64: the data is larger than %" G_GSIZE_FORMAT " bytes", max_bytes);
  return FALSE;
}

/* Takes one character that is no space. Bits that the padding leaves over
 * must be 0, so that each value has one spelling only. */
static gboolean
decoder_take (Decoder *self, guchar c, gsize position, GError **error)
{
  guint8 value = values[c];

  if (value == PAD) {
    guint total = self->n_sextets + self->n_pads;
    guint32 left = self->n_sextets == 2 ? 0xffff : 0xff;

    if (self->n_sextets < 2 || total >= 4 || (self->bits & left) != 0)
      return set_invalid (error, c, position);
    self->n_pads++;
    return TRUE;
  }
  if (value == BAD || self->n_pads > 0)
    return set_invalid (error, c, position);
  self->bits |= (guint32) value << (18 - 6 * self->n_sextets);
  if (++self->n_sextets == 4 && !decoder_flush (self, 3))
    return set_too_large (error, self->max_bytes);
  return TRUE;
}

static gboolean
decoder_finish (Decoder *self, GError **error)
{
  if (self->n_sextets == 0)
    return TRUE;
  if (self->n_sextets + self->n_pads != 4) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
        "base64: ends within a group of four characters");
    return FALSE;
  }
  if (!decoder_flush (self, self->n_sextets - 1))
    return set_too_large (error, self->max_bytes);
  return TRUE;
}

GBytes *
dub_base64_decode (
    const char *text, gssize length, gsize max_bytes, GError **error)
{
  gsize n = length < 0 && text != NULL ? strlen (text) : (gsize) length;
  Decoder decoder = {.max_bytes = max_bytes};
  g_autofree guint8 *data = NULL;

  g_return_val_if_fail (text != NULL || length == 0, NULL);
  init_values ();
  /* Never more than the text can hold, nor than the caller wants. */
  decoder.capacity = MIN (n / 4 * 3 + 3, max_bytes);
  decoder.data = data = g_malloc (MAX (decoder.capacity, 1));
  for (gsize i = 0; i < n; i++) {
    guchar c = (guchar) text[i];

    if (values[c] != SPACE && !decoder_take (&decoder, c, i, error))
      return NULL;
  }
  if (!decoder_finish (&decoder, error))
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&data), decoder.size);
}
