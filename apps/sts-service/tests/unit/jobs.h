/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "signals.h"

#include <dubbing_common/clock.h>
#include <sts_service/processor.h>

/* Jobs for a pipeline, from Spanish into English, mono at 48 kHz. */

#define JOB_RATE 48000

/* Speech from 0.5 s on to 0.1 s before the end; time_ms: until its place has
 * passed. (transfer full) */
static inline DubJob *
job_new (double seconds, double amplitude, gint64 time_ms)
{
  DubJob *job = dub_job_new ();
  g_autoptr (GArray) sound = signal_silence (JOB_RATE, seconds);
  gint16 *samples = g_new (gint16, sound->len);
  gint64 now_ns = g_get_monotonic_time () * 1000;

  signal_add_tone (sound, JOB_RATE, 0.5, seconds - 0.1, 300, amplitude);
  for (guint i = 0; i < sound->len; i++)
    samples[i] = (gint16) (g_array_index (sound, float, i) * 32000);
  job->stream_id = g_strdup ("stream");
  job->fragment_id = g_strdup ("fragment");
  job->source_language = g_strdup ("es");
  job->target_language = g_strdup ("en");
  job->voice_profile = g_strdup ("default");
  job->sound.format = g_strdup ("pcm_s16le");
  job->sound.sample_rate_hz = JOB_RATE;
  job->sound.channels = 1;
  job->sound.data = g_bytes_new_take (samples, sound->len * 2);
  job->deadline_ns = now_ns + time_ms * DUB_NS_PER_MS;
  job->reply_format = g_strdup ("pcm_s16le");
  job->reply_rate_hz = JOB_RATE;
  job->reply_channels = 2;
  return job;
}
