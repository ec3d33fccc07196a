/* SPDX-License-Identifier: Apache-2.0 */
#include <sts_service/processor.h>

static void
sound_clear (DubSound *sound)
{
  g_clear_pointer (&sound->format, g_free);
  g_clear_pointer (&sound->data, g_bytes_unref);
}

DubJob *
dub_job_new (void)
{
  return g_new0 (DubJob, 1);
}

void
dub_job_free (DubJob *job)
{
  if (!job)
    return;
  g_free (job->stream_id);
  g_free (job->fragment_id);
  g_free (job->source_language);
  g_free (job->target_language);
  g_free (job->voice_profile);
  g_free (job->domain);
  g_strfreev (job->hints);
  sound_clear (&job->sound);
  g_free (job->reply_format);
  g_free (job);
}

DubResult *
dub_result_new (void)
{
  DubResult *self = g_new0 (DubResult, 1);

  self->speed_ratio = 1.0;
  return self;
}

void
dub_result_free (DubResult *result)
{
  if (!result)
    return;
  sound_clear (&result->sound);
  g_free (result->transcript);
  g_clear_pointer (&result->words, json_array_unref);
  g_free (result->translated_text);
  g_free (result->asr_engine);
  g_free (result->translation_engine);
  g_free (result->tts_engine);
  g_free (result->error_stage);
  g_free (result->error_code);
  g_free (result->error_message);
  g_free (result);
}
