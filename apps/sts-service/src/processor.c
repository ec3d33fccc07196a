/* SPDX-License-Identifier: Apache-2.0 */
#include <sts_service/processor.h>

DubJob *
dub_job_new (void)
{
  return g_new0 (DubJob, 1);
}

static void
sound_clear (DubSound *sound)
{
  g_clear_pointer (&sound->format, g_free);
  g_clear_pointer (&sound->data, g_bytes_unref);
}

void
dub_job_free (DubJob *job)
{
  if (job == NULL)
    return;
  g_free (job->stream_id);
  g_free (job->fragment_id);
  g_free (job->source_language);
  g_free (job->target_language);
  g_free (job->voice_profile);
  g_free (job->domain);
  g_free (job->reply_format);
  sound_clear (&job->sound);
  g_free (job);
}

DubResult *
dub_result_new (void)
{
  DubResult *result = g_new0 (DubResult, 1);

  result->speed_ratio = 1;
  return result;
}

void
dub_result_free (DubResult *result)
{
  if (result == NULL)
    return;
  g_free (result->transcript);
  g_free (result->translated_text);
  g_free (result->error_stage);
  g_free (result->error_code);
  g_free (result->error_message);
  sound_clear (&result->sound);
  g_free (result);
}
