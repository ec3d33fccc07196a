/* SPDX-License-Identifier: Apache-2.0 */
#include "wav.h"

#include <string.h>

#define HEADER_SIZE 44
#define FORMAT_PCM 1
#define BYTES_PER_SAMPLE 2

static void
put_le16 (guint8 *to, guint value)
{
  guint16 bytes = GUINT16_TO_LE ((guint16) value);

  memcpy (to, &bytes, sizeof bytes);
}

static void
put_le32 (guint8 *to, gsize value)
{
  guint32 bytes = GUINT32_TO_LE ((guint32) value);

  memcpy (to, &bytes, sizeof bytes);
}

GBytes *
dub_wav_new (const DubPcm *pcm)
{
  guint frame_size = pcm->channels * BYTES_PER_SAMPLE;
  gsize size = pcm->frames * frame_size;
  guint8 *out = g_malloc (HEADER_SIZE + size);
  guint8 *samples = out + HEADER_SIZE;

  memcpy (out, "RIFF", 4);
  put_le32 (out + 4, HEADER_SIZE - 8 + size);
  memcpy (out + 8, "WAVEfmt ", 8);
  put_le32 (out + 16, 16);
  put_le16 (out + 20, FORMAT_PCM);
  put_le16 (out + 22, pcm->channels);
  put_le32 (out + 24, pcm->rate_hz);
  put_le32 (out + 28, (gsize) pcm->rate_hz * frame_size);
  put_le16 (out + 32, frame_size);
  put_le16 (out + 34, BYTES_PER_SAMPLE * 8);
  memcpy (out + 36, "data", 4);
  put_le32 (out + 40, size);
  for (gsize i = 0; i < pcm->frames * pcm->channels; i++)
    put_le16 (samples + i * BYTES_PER_SAMPLE, (guint16) pcm->samples[i]);
  return g_bytes_new_take (out, HEADER_SIZE + size);
}
