/* SPDX-License-Identifier: Apache-2.0 */
#include "artifacts.h"

/* A processor that keeps what another one does. */

typedef struct {
  DubProcessor base;
  DubProcessor *inner;
  DubArtifacts *artifacts;
  GList *calls; /* of Call */
} Keeper;

typedef struct {
  Keeper *keeper;
  DubJob *job; /* what of it is kept */
  DubDoneFunc done;
  gpointer user_data;
} Call;

/* The processor owns the job; the sound is shared. (transfer full) */
static DubJob *
copy_of (const DubJob *job)
{
  DubJob *copy = dub_job_new ();

  copy->stream_id = g_strdup (job->stream_id);
  copy->fragment_id = g_strdup (job->fragment_id);
  copy->sequence_number = job->sequence_number;
  copy->source_language = g_strdup (job->source_language);
  copy->target_language = g_strdup (job->target_language);
  copy->voice_profile = g_strdup (job->voice_profile);
  copy->sound = job->sound;
  copy->sound.format = g_strdup (job->sound.format);
  copy->sound.data = g_bytes_ref (job->sound.data);
  return copy;
}

static void
on_done (DubResult *result, gpointer user_data)
{
  g_autofree Call *call = user_data;

  call->keeper->calls = g_list_remove (call->keeper->calls, call);
  dub_artifacts_put (call->keeper->artifacts, call->job, result);
  call->done (result, call->user_data);
  dub_job_free (call->job);
}

static void
keeper_submit (
    DubProcessor *base, DubJob *job, DubDoneFunc done, gpointer user_data)
{
  Keeper *self = (Keeper *) base;
  Call *call = g_new (Call, 1);

  *call = (Call){self, copy_of (job), done, user_data};
  self->calls = g_list_prepend (self->calls, call);
  self->inner->submit (self->inner, job, on_done, call);
}

static gboolean
keeper_is_ready (DubProcessor *base, GError **error)
{
  DubProcessor *inner = ((Keeper *) base)->inner;

  return inner->is_ready (inner, error);
}

static gboolean
keeper_check (DubProcessor *base, const char *source, const char *target,
    const char *voice, GError **error)
{
  DubProcessor *inner = ((Keeper *) base)->inner;

  return inner->check (inner, source, target, voice, error);
}

static void
keeper_cancel (DubProcessor *base, gpointer user_data)
{
  Keeper *self = (Keeper *) base;

  for (GList *l = self->calls; l != NULL; l = l->next) {
    Call *call = l->data;

    if (call->user_data != user_data)
      continue;
    self->inner->cancel (self->inner, call);
    return;
  }
}

/* What inner still answers is kept too. */
static void
keeper_free (DubProcessor *base)
{
  Keeper *self = (Keeper *) base;

  self->inner->free (self->inner);
  dub_artifacts_free (self->artifacts);
  g_free (self);
}

DubProcessor *
dub_artifacts_processor_new (DubProcessor *inner, DubArtifacts *artifacts)
{
  Keeper *self = g_new0 (Keeper, 1);

  self->base = (DubProcessor){inner->name, keeper_submit, keeper_is_ready,
      keeper_check, keeper_free, inner->cancel != NULL ? keeper_cancel : NULL};
  self->inner = inner;
  self->artifacts = artifacts;
  return &self->base;
}
