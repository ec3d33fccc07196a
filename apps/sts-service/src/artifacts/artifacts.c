/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.artifacts"

#include "artifacts.h"

#include "record.h"
#include "store.h"

#include <dubbing_common/log.h>

#define MAX_WAITING 32
#define MAX_WAITING_BYTES (64 * 1024 * 1024)
#define TIDY_EVERY_US (60 * G_USEC_PER_SEC)

struct _DubArtifacts {
  DubArtifactsOptions options; /* dir is ours */
  DubMetrics *metrics;         /* (nullable) */
  DubMetric *dropped_total;
  GThread *thread;
  GAsyncQueue *queue; /* of DubRecord; &the_end ends it */

  GMutex lock;
  gsize waiting_bytes; /* protected by lock */

  /* the thread's */
  gboolean is_failing;
};

static DubRecord the_end;

static void
note_dropped (DubArtifacts *self, const char *reason)
{
  if (self->dropped_total != NULL)
    dub_metric_add (
        self->dropped_total, (const char *const[]){reason, NULL}, 1);
}

/* A full disk is worth one line, not one a fragment. */
static void
note_outcome (DubArtifacts *self, const GError *error)
{
  if (error != NULL)
    note_dropped (self, "error");
  if (error != NULL && !self->is_failing)
    dub_warning ("artifacts are not kept: %s", error->message);
  if (error == NULL && self->is_failing)
    dub_info ("artifacts are kept again");
  self->is_failing = error != NULL;
}

static void
take_off (DubArtifacts *self, const DubRecord *record)
{
  g_mutex_lock (&self->lock);
  self->waiting_bytes -= record->bytes;
  g_mutex_unlock (&self->lock);
}

static gpointer
do_write (gpointer data)
{
  DubArtifacts *self = data;
  g_autoptr (DubStore) store = dub_store_new (&self->options);

  for (;;) {
    g_autoptr (GError) error = NULL;
    DubRecord *record = g_async_queue_timeout_pop (self->queue, TIDY_EVERY_US);

    if (record == &the_end)
      return NULL;
    if (record == NULL) {
      dub_store_tidy (store, g_get_real_time () / G_USEC_PER_SEC);
      continue;
    }
    dub_store_put (store, record, &error);
    note_outcome (self, error);
    take_off (self, record);
    dub_record_free (record);
  }
}

DubArtifacts *
dub_artifacts_new (const DubArtifactsOptions *options, DubMetrics *metrics)
{
  static const char *const reason[] = {"reason", NULL};
  DubArtifacts *self = g_new0 (DubArtifacts, 1);

  self->options = *options;
  self->options.dir = g_strdup (options->dir);
  g_mutex_init (&self->lock);
  self->queue = g_async_queue_new ();
  if (metrics != NULL) {
    self->metrics = dub_metrics_ref (metrics);
    self->dropped_total =
        dub_metrics_counter (metrics, "sts_artifacts_dropped_total",
            "Fragments whose artifacts were not kept.", reason);
  }
  dub_info ("artifacts of each fragment are kept in %s", options->dir);
  self->thread = g_thread_new ("artifacts", do_write, self);
  return self;
}

void
dub_artifacts_free (DubArtifacts *self)
{
  if (self == NULL)
    return;
  g_async_queue_push (self->queue, &the_end);
  g_thread_join (self->thread);
  g_async_queue_unref (self->queue);
  g_mutex_clear (&self->lock);
  g_clear_pointer (&self->metrics, dub_metrics_unref);
  g_free (self->options.dir);
  g_free (self);
}

static gboolean
has_room (DubArtifacts *self, gsize bytes)
{
  gboolean has;

  g_mutex_lock (&self->lock);
  has = g_async_queue_length (self->queue) < MAX_WAITING &&
        self->waiting_bytes + bytes <= MAX_WAITING_BYTES;
  if (has)
    self->waiting_bytes += bytes;
  g_mutex_unlock (&self->lock);
  return has;
}

void
dub_artifacts_put (
    DubArtifacts *self, const DubJob *job, const DubResult *result)
{
  g_autoptr (DubRecord) record = dub_record_new (job, result);

  if (has_room (self, record->bytes))
    g_async_queue_push (self->queue, g_steal_pointer (&record));
  else
    note_dropped (self, "behind");
}
