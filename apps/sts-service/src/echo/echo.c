/* SPDX-License-Identifier: Apache-2.0 */
#include "echo.h"

typedef struct {
  DubProcessor parent;
  guint delay_ms;
  GQueue open; /* of Work */
} Echo;

typedef struct {
  Echo *echo;
  GList link;
  DubJob *job;
  DubDoneFunc done;
  gpointer user_data;
  gint64 begun_us;
  GSource *timer;
} Work;

/* Takes work out of the list and hands result (transfer full) over. */
static void
end_work (Work *work, DubResult *result)
{
  g_queue_unlink (&work->echo->open, &work->link);
  g_source_destroy (work->timer);
  g_source_unref (work->timer);
  work->done (result, work->user_data);
  dub_job_free (work->job);
  g_free (work);
}

static void
fill_sound (DubResult *result, const DubSound *sound)
{
  result->sound.format = g_strdup (sound->format);
  result->sound.sample_rate_hz = sound->sample_rate_hz;
  result->sound.channels = sound->channels;
  result->sound.duration_ms = sound->duration_ms;
  result->sound.data = g_bytes_ref (sound->data);
}

static gboolean
on_time (gpointer user_data)
{
  Work *work = user_data;
  const DubJob *job = work->job;
  DubResult *result = dub_result_new ();

  result->status = DUB_RESULT_SUCCESS;
  fill_sound (result, &job->sound);
  result->transcript =
      g_strdup_printf ("[ECHO] Original audio (seq=%" G_GUINT64_FORMAT ")",
          job->sequence_number);
  result->translated_text =
      g_strdup_printf ("[ECHO] Audio original (seq=%" G_GUINT64_FORMAT ")",
          job->sequence_number);
  result->total_ms = (g_get_monotonic_time () - work->begun_us) / 1000;
  result->asr_ms = result->translation_ms = result->tts_ms =
      result->total_ms / 3;
  result->original_duration_ms = job->sound.duration_ms;
  result->dubbed_duration_ms = job->sound.duration_ms;
  end_work (work, result);
  return G_SOURCE_REMOVE;
}

static void
echo_submit (
    DubProcessor *processor, DubJob *job, DubDoneFunc done, gpointer user_data)
{
  Echo *self = (Echo *) processor;
  Work *work = g_new0 (Work, 1);

  work->echo = self;
  work->link.data = work;
  work->job = job;
  work->done = done;
  work->user_data = user_data;
  work->begun_us = g_get_monotonic_time ();
  work->timer = self->delay_ms > 0 ? g_timeout_source_new (self->delay_ms)
                                   : g_idle_source_new ();
  g_source_set_priority (work->timer, G_PRIORITY_DEFAULT);
  g_source_set_callback (work->timer, on_time, work, NULL);
  g_source_attach (work->timer, g_main_context_get_thread_default ());
  g_queue_push_tail_link (&self->open, &work->link);
}

static gboolean
echo_is_ready (DubProcessor *processor, GError **error)
{
  return TRUE;
}

static gboolean
echo_check (DubProcessor *processor, const char *source_language,
    const char *target_language, const char *voice_profile, GError **error)
{
  return TRUE;
}

static void
echo_free (DubProcessor *processor)
{
  Echo *self = (Echo *) processor;

  while (self->open.head) {
    DubResult *result = dub_result_new ();

    result->status = DUB_RESULT_FAILED;
    result->error_code = g_strdup ("PROCESSING_ERROR");
    result->error_message = g_strdup ("the service is stopping");
    result->is_retryable = TRUE;
    end_work (self->open.head->data, result);
  }
  g_free (self);
}

DubProcessor *
dub_echo_new (guint delay_ms)
{
  Echo *self = g_new0 (Echo, 1);

  self->parent =
      (DubProcessor){"echo", echo_submit, echo_is_ready, echo_check, echo_free};
  self->delay_ms = delay_ms;
  g_queue_init (&self->open);
  return &self->parent;
}
