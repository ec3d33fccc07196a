/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* The first byte chooses the label. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const labels[] = {NULL, "m4a", "pcm_s16le", "pcm_f32le"};
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (DubPcm) pcm = NULL;
  DubSoundKind kind;
  guint choice;

  if (size == 0)
    return 0;
  choice = data[0] % G_N_ELEMENTS (labels);
  bytes = g_bytes_new (data + 1, size - 1);
  kind = dub_sound_sniff (bytes, labels[choice]);
  g_assert_nonnull (dub_sound_kind_to_string (kind));
  if (kind == DUB_SOUND_WAV)
    pcm = dub_wav_read (bytes, 1000, NULL);
  else if (kind == DUB_SOUND_S16LE || kind == DUB_SOUND_F32LE)
    pcm = dub_raw_read (bytes, kind, 48000, 1 + data[0] / 64, 1000, NULL);
  if (pcm != NULL)
    g_assert_cmpint (
        dub_pcm_duration_ns (pcm), <=, 1000 * G_GINT64_CONSTANT (1000000));
  return 0;
}
