/* SPDX-License-Identifier: Apache-2.0 */
#include "work.h"

/* Below this there is nothing to recognise. */
#define SILENT_DB (-60.0)

static void
do_read (gpointer data)
{
  DubWork *work = data;

  dub_source_read (&work->job->sound, &work->source, &work->read_error);
}

static void
on_read (gpointer data, gboolean ran)
{
  DubWork *work = data;

  if (work->is_finished || dub_work_is_too_late (work, "pipeline"))
    return;
  if (work->read_error != NULL) {
    dub_work_fail (
        work, "asr", "INVALID_AUDIO_FORMAT", FALSE, work->read_error->message);
    return;
  }
  work->result->original_duration_ms = work->source.speech_ms;
  if (work->source.level_db < SILENT_DB || work->source.speech_ms == 0)
    dub_stage_finish_without_speech (work, DUB_GUARD_EMPTY);
  else
    dub_stage_recognise (work);
}

const DubLaneFuncs dub_stage_read_lane = {do_read, on_read, dub_work_unref};

void
dub_stage_read (DubWork *work)
{
  dub_lane_push (
      work->pipeline->read_lane, dub_work_ref (work), work->job->deadline_ns);
}
