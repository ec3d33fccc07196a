/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#define DUB_LOG_TOPIC "media.worker"
#include "allocator.h"
#include "branch.h"
#include "egress.h"
#include "tee.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <dubbing_common/metrics.h>

#define FINISH_MS 2000
#define STOP_MS 4000
#define DRAIN_MARGIN_MS 5000
#define TICK_MS 1000
#define TRIM_TICKS 30

struct _DubWorker {
  const DubWorkerSettings *settings;
  GMainLoop *loop;
  GError *error; /* why it ends; NULL: all is well */
  gboolean is_ending;
  gboolean has_run; /* media has come in */

  DubTee *tee;     /* NULL: one language */
  DubQueue *queue; /* what the source is pushed into */
  DubQueue *branch_queues[DUB_WORKER_MAX_LANGUAGES]; /* not owned */
  DubIngest *ingest;
  DubBranch *branches[DUB_WORKER_MAX_LANGUAGES];
  guint n_branches;
  DubEgress *egress;   /* the destinations beside their outputs */
  DubControl *control; /* NULL: no RUNTIME_DIR */
  guint tick_id, n_ticks;
  guint stop_id;
  guint drain_id;
};

/* -- the end ------------------------------------------------------------- */

static gboolean
on_stop_timeout (gpointer user_data)
{
  DubWorker *self = user_data;

  self->stop_id = 0;
  dub_warning ("the output did not end in time");
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static gboolean
is_file (const DubWorker *self)
{
  return self->settings->pace == DUB_WORKER_FILE;
}

static void
tell_state (DubWorker *self, const char *state, const char *reason)
{
  if (self->control)
    dub_control_set_state (self->control, state, reason);
}

static gboolean
is_drained (const DubWorker *self)
{
  for (guint i = 0; i < self->n_branches; i++)
    if (!dub_branch_is_drained (self->branches[i]))
      return FALSE;
  return TRUE;
}

/* The source is closed and the outputs told that this is all. */
static void
begin_end (DubWorker *self)
{
  if (self->is_ending)
    return;
  self->is_ending = TRUE;
  tell_state (self, DUB_WORKER_STATE_STOPPING,
      self->error ? self->error->message : NULL);
  dub_ingest_stop (self->ingest);
  if (is_file (self) && !is_drained (self)) {
    g_main_loop_quit (self->loop); /* what there is of the file is removed */
    return;
  }
  dub_egress_expect_end (self->egress);
  for (guint i = 0; i < self->n_branches; i++)
    dub_branch_finish (self->branches[i], FINISH_MS);
  self->stop_id = g_timeout_add (STOP_MS, on_stop_timeout, self);
}

static void
fail (DubWorker *self, const GError *error)
{
  if (!self->error)
    self->error = g_error_copy (error);
  begin_end (self);
}

void
dub_worker_stop (DubWorker *self)
{
  if (self->is_ending) {
    g_main_loop_quit (self->loop);
    return;
  }
  dub_info ("stopping");
  begin_end (self);
}

/* -- the branches -------------------------------------------------------- */

static void
on_branch_drained (gpointer user_data)
{
  DubWorker *self = user_data;

  if (is_drained (self))
    begin_end (self);
}

/* Each output has sent what it could, or its time is up. */
static void
on_output_ended (gpointer user_data)
{
  DubWorker *self = user_data;

  for (guint i = 0; i < self->n_branches; i++)
    if (!dub_branch_has_ended (self->branches[i]))
      return;
  if (dub_egress_has_ended (self->egress))
    g_main_loop_quit (self->loop);
}

static void
on_branch_error (const GError *error, gpointer user_data)
{
  fail (user_data, error);
}

static DubPublish *
find_publish (const char *language, gpointer user_data)
{
  DubWorker *self = user_data;

  for (guint i = 0; i < self->n_branches; i++)
    if (!language ||
        g_str_equal (language, dub_branch_get_language (self->branches[i])))
      return dub_branch_get_publish (self->branches[i]);
  return NULL;
}

/* -- the source ---------------------------------------------------------- */

static gboolean
on_drain_timeout (gpointer user_data)
{
  DubWorker *self = user_data;

  self->drain_id = 0;
  begin_end (self);
  return G_SOURCE_REMOVE;
}

/* Nothing more will come. What is in the delay still leaves, then DRAINED ends
 * us; but what no retry can mend, or never began, ends at once. */
static void
end_with_source (DubWorker *self, const GError *error)
{
  gint64 delay_ms = self->settings->output_delay_ms;

  if (error && !self->error)
    self->error = g_error_copy (error);
  if (error)
    dub_warning ("input given up: %s", error->message);
  else
    dub_info ("input ended");
  if (is_file (self) && !error)
    return; /* it takes as long as it takes */
  if (!self->has_run || (error && !dub_error_is_retryable (error)))
    begin_end (self);
  else if (!self->drain_id)
    self->drain_id = g_timeout_add (
        (guint) delay_ms + DRAIN_MARGIN_MS, on_drain_timeout, self);
}

static void
on_ingest_state (DubIngestState state, const GError *error, gpointer user_data)
{
  DubWorker *self = user_data;

  for (guint i = 0; i < self->n_branches; i++)
    dub_branch_set_input (self->branches[i], state);
  switch (state) {
    case DUB_INGEST_WAITING:
      dub_warning ("input lost: %s", error->message);
      tell_state (self,
          self->has_run ? DUB_WORKER_STATE_SOURCE_LOST
                        : DUB_WORKER_STATE_STARTING,
          error->message);
      break;
    case DUB_INGEST_RUNNING:
      dub_info ("input running");
      self->has_run = TRUE;
      tell_state (self, DUB_WORKER_STATE_RUNNING, NULL);
      break;
    case DUB_INGEST_FAILED:
      end_with_source (self, error);
      break;
    case DUB_INGEST_ENDED:
      end_with_source (self, NULL);
      break;
    default:
      dub_info ("input %s", dub_ingest_state_to_string (state));
      break;
  }
}

/* -- each second --------------------------------------------------------- */

static void
tell_destinations (DubWorker *self)
{
  dub_egress_update_metrics (self->egress);
  if (self->control)
    dub_control_set_destinations (
        self->control, dub_egress_describe (self->egress));
}

/* While one language leaves, the others may take as long as they need. */
static void
check_outputs (DubWorker *self)
{
  gint64 now_ns = g_get_monotonic_time () * 1000;
  const GError *error = NULL;

  for (guint i = 0; i < self->n_branches; i++) {
    gint64 since_ns;

    error = dub_branch_get_loss (self->branches[i], &since_ns);
    if (!error || now_ns - since_ns <= self->settings->grace_ns)
      return;
  }
  fail (self, error);
}

static gboolean
on_tick (gpointer user_data)
{
  DubWorker *self = user_data;

  for (guint i = 0; i < self->n_branches; i++)
    dub_branch_tick (self->branches[i]);
  tell_destinations (self);
  check_outputs (self);
  if (++self->n_ticks % TRIM_TICKS == 0)
    dub_allocator_trim ();
  return G_SOURCE_CONTINUE;
}

/* -- the control socket -------------------------------------------------- */

static gboolean
set_destinations (DubWorker *self, const char *json, GError **error)
{
  if (is_file (self)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "EGRESS_DESTINATIONS does not go with PACE=file");
    return FALSE;
  }
  if (!dub_egress_set (self->egress, json, error))
    return FALSE;
  tell_destinations (self);
  return TRUE;
}

static gboolean
set_branches (DubWorker *self, const char *name, const DubWorkerSettings *now)
{
  gboolean is_good = TRUE;

  for (guint i = 0; is_good && i < self->n_branches; i++)
    is_good = dub_branch_set (self->branches[i], name, now);
  return is_good;
}

static gboolean
on_control_set (
    const char *name, const char *value, gpointer user_data, GError **error)
{
  DubWorker *self = user_data;
  DubWorkerSettings now = {0};
  gboolean is_good;

  if (g_str_equal (name, "EGRESS_DESTINATIONS"))
    return set_destinations (self, value, error);
  is_good = dub_config_set (dub_worker_options (), &now, name, value, error) &&
            dub_worker_settings_check_fallback (&now, error);
  if (is_good && !set_branches (self, name, &now)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "%s cannot be changed while the worker runs", name);
    is_good = FALSE;
  }
  dub_worker_settings_clear (&now);
  return is_good;
}

static void
on_control_reconnect (gpointer user_data)
{
  DubWorker *self = user_data;

  dub_ingest_reconnect_now (self->ingest);
}

static void
on_control_stop (gpointer user_data)
{
  dub_worker_stop (user_data);
}

static char *
on_control_metrics (gpointer user_data)
{
  DubWorker *self = user_data;
  g_auto (GStrv) texts = g_new0 (char *, self->n_branches + 2);

  for (guint i = 0; i < self->n_branches; i++)
    texts[i] = dub_branch_metrics_to_text (self->branches[i]);
  texts[self->n_branches] = dub_egress_metrics_to_text (self->egress);
  return dub_metrics_merge ((const char *const *) texts);
}

/* -- building ------------------------------------------------------------ */

static gboolean
build_control (DubWorker *self, GError **error)
{
  static const DubControlHandlers handlers = {
      .set = on_control_set,
      .reconnect = on_control_reconnect,
      .stop = on_control_stop,
      .get_metrics = on_control_metrics,
  };
  const DubWorkerSettings *from = self->settings;

  if (!from->runtime_dir)
    return TRUE;
  self->control = dub_control_new (
      from->runtime_dir, from->stream_id, from->run_id, &handlers, self, error);
  if (!self->control)
    return FALSE;
  dub_control_set_supervised (self->control, from->is_supervised);
  tell_state (self, DUB_WORKER_STATE_STARTING, NULL);
  return TRUE;
}

static gboolean
build_egress (DubWorker *self, GError **error)
{
  static const DubEgressHandlers handlers = {
      .find = find_publish,
      .on_ended = on_output_ended,
  };

  self->egress = dub_egress_new (self->settings->stream_id, &handlers, self);
  return dub_egress_set (
      self->egress, self->settings->egress_destinations, error);
}

static gboolean
build_ingest (DubWorker *self, GError **error)
{
  DubIngestOptions options;

  dub_ingest_options_init (&options);
  options.url = self->settings->input_url;
  options.is_fast = is_file (self);
  options.allow_no_audio = self->settings->allow_no_audio;
  options.grace_ms = (guint) (self->settings->grace_ns / DUB_NS_PER_MS);
  self->ingest =
      dub_ingest_new (&options, self->queue, on_ingest_state, self, error);
  return self->ingest != NULL;
}

/* Before anything is pushed. */
static void
build_queues (DubWorker *self)
{
  guint n = g_strv_length (self->settings->languages);

  if (n > 1)
    self->tee = dub_tee_new ();
  self->queue = self->tee ? dub_queue_ref (dub_tee_get_in (self->tee))
                          : dub_ingest_queue_new ();
  for (guint i = 0; i < n; i++)
    self->branch_queues[i] = self->tee ? dub_tee_add (self->tee) : self->queue;
}

static gboolean
build_branches (DubWorker *self, GError **error)
{
  static const DubBranchHandlers handlers = {
      .on_drained = on_branch_drained,
      .on_ended = on_output_ended,
      .on_error = on_branch_error,
  };
  DubBranchOptions options = {
      .settings = self->settings, .control = self->control};
  guint wanted = g_strv_length (self->settings->languages);

  for (; self->n_branches < wanted; self->n_branches++) {
    options.number = self->n_branches;
    options.queue = self->branch_queues[self->n_branches];
    self->branches[self->n_branches] =
        dub_branch_new (&options, &handlers, self, error);
    if (!self->branches[self->n_branches])
      return FALSE;
  }
  return TRUE;
}

DubWorker *
dub_worker_new (const DubWorkerSettings *settings, GError **error)
{
  g_autoptr (DubWorker) self = g_new0 (DubWorker, 1);

  self->settings = settings;
  self->loop = g_main_loop_new (NULL, FALSE);
  build_queues (self);
  if (!build_control (self, error) || !build_ingest (self, error))
    return NULL;
  /* The source is reached while codecs and the speech model load, which takes
   * longer; what comes waits in the branches' queues. */
  dub_ingest_start (self->ingest);
  if (!build_branches (self, error) || !build_egress (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
dub_worker_free (DubWorker *self)
{
  if (!self)
    return;
  g_clear_handle_id (&self->tick_id, g_source_remove);
  g_clear_handle_id (&self->stop_id, g_source_remove);
  g_clear_handle_id (&self->drain_id, g_source_remove);
  /* Left to right; what a stage calls lives longer than the stage. */
  g_clear_pointer (&self->ingest, dub_ingest_free);
  g_clear_pointer (&self->egress, dub_egress_free);
  for (guint i = 0; i < self->n_branches; i++)
    g_clear_pointer (&self->branches[i], dub_branch_free);
  g_clear_pointer (&self->tee, dub_tee_free);
  g_clear_pointer (&self->queue, dub_queue_unref);
  g_clear_pointer (&self->control, dub_control_free);
  g_clear_pointer (&self->loop, g_main_loop_unref);
  g_clear_error (&self->error);
  g_free (self);
}

gboolean
dub_worker_run (DubWorker *self, GError **error)
{
  for (guint i = 0; i < self->n_branches; i++)
    if (!dub_branch_start (self->branches[i], error))
      return FALSE;
  self->tick_id = g_timeout_add (TICK_MS, on_tick, self);
  g_main_loop_run (self->loop);
  if (!self->error)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&self->error));
  return FALSE;
}
