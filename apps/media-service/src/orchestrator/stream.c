/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <string.h>

#define MAX_RESTARTS 6
#define RESTART_WINDOW_NS (600 * DUB_NS_PER_S)
#define MAX_BACKOFF_NS (30 * DUB_NS_PER_S)
#define DEGRADED_BACKOFF_NS (60 * DUB_NS_PER_S)
/* How late the ready of a source that has gone may still come in. Longer than
 * a hook takes, shorter than a person needs to publish again. */
#define LATE_NS (2 * DUB_NS_PER_S)

struct _DubStream {
  /* immutable */
  DubStreamParams params;
  const DubStreamFuncs *funcs;
  gpointer user_data;

  DubStreamState state;
  gboolean has_worker;
  gboolean is_wanted; /* by publisher or operator */
  char *source_id;
  char *gone_id;
  gint64 gone_ns;

  /* DUB_TIME_NONE: not set */
  gint64 grace_end_ns, restart_ns, kill_ns;

  gint64 restarts[MAX_RESTARTS]; /* times of the last ones, a ring */
  guint n_restarts;
};

static const char *const state_names[] = {
    "none", "idle", "starting", "running", "stopping", "stopped"};

/* Which moves there are; any other is a mistake of ours. */
static const gboolean moves[6][6] = {
    [DUB_STREAM_IDLE] = {[DUB_STREAM_STARTING] = TRUE},
    [DUB_STREAM_STARTING] = {[DUB_STREAM_RUNNING] = TRUE,
        [DUB_STREAM_STOPPING] = TRUE,
        [DUB_STREAM_STOPPED] = TRUE},
    [DUB_STREAM_RUNNING] = {[DUB_STREAM_STARTING] = TRUE,
        [DUB_STREAM_STOPPING] = TRUE,
        [DUB_STREAM_STOPPED] = TRUE},
    [DUB_STREAM_STOPPING] = {[DUB_STREAM_STOPPED] = TRUE},
    [DUB_STREAM_STOPPED] = {[DUB_STREAM_IDLE] = TRUE},
};

const char *
dub_stream_state_to_string (DubStreamState state)
{
  return (guint) state < G_N_ELEMENTS (state_names) ? state_names[state]
                                                    : "none";
}

static void
set_state (DubStream *self, DubStreamState state)
{
  DubStreamState from = self->state;

  g_return_if_fail (moves[from][state]);
  self->state = state;
  self->funcs->changed (self, from, state, self->user_data);
}

DubStream *
dub_stream_new (const DubStreamParams *params, const DubStreamFuncs *funcs,
    gpointer user_data)
{
  DubStream *self = g_new0 (DubStream, 1);

  self->params = *params;
  self->funcs = funcs;
  self->user_data = user_data;
  self->state = DUB_STREAM_IDLE;
  self->grace_end_ns = self->restart_ns = self->kill_ns = DUB_TIME_NONE;
  return self;
}

void
dub_stream_free (DubStream *stream)
{
  if (stream == NULL)
    return;
  g_free (stream->source_id);
  g_free (stream->gone_id);
  g_free (stream);
}

static guint
restarts_since (DubStream *self, gint64 since_ns)
{
  guint n = 0;

  for (guint i = 0; i < MIN (self->n_restarts, MAX_RESTARTS); i++)
    if (self->restarts[i] > since_ns)
      n++;
  return n;
}

static gint64
next_backoff_ns (DubStream *self, gint64 now_ns)
{
  guint n = restarts_since (self, now_ns - RESTART_WINDOW_NS);

  if (n == 0)
    return 0;
  if (n >= MAX_RESTARTS)
    return DEGRADED_BACKOFF_NS;
  return MIN (DUB_NS_PER_S << (n - 1), MAX_BACKOFF_NS);
}

static void
start_worker (DubStream *self)
{
  self->restart_ns = DUB_TIME_NONE;
  self->has_worker = TRUE;
  self->funcs->start (self, self->user_data);
}

static void
begin_session (DubStream *self)
{
  if (self->state == DUB_STREAM_STOPPED)
    set_state (self, DUB_STREAM_IDLE);
  self->n_restarts = 0;
  self->grace_end_ns = DUB_TIME_NONE;
  set_state (self, DUB_STREAM_STARTING);
  start_worker (self);
}

static void
end_session (DubStream *self)
{
  self->grace_end_ns = self->restart_ns = self->kill_ns = DUB_TIME_NONE;
  set_state (self, DUB_STREAM_STOPPED);
}

static void
begin_stop (DubStream *self, gint64 now_ns)
{
  self->grace_end_ns = self->restart_ns = DUB_TIME_NONE;
  if (!self->has_worker) {
    end_session (self);
    return;
  }
  self->kill_ns = now_ns + self->params.stop_timeout_ns;
  set_state (self, DUB_STREAM_STOPPING);
  self->funcs->stop (self, self->user_data);
}

static gboolean
is_live (DubStream *self)
{
  return self->state == DUB_STREAM_STARTING ||
         self->state == DUB_STREAM_RUNNING;
}

/* Takes the id over; TRUE: it is another publisher than before. */
static gboolean
take_source (DubStream *self, const char *source_id)
{
  gboolean is_other = source_id != NULL && self->source_id != NULL &&
                      !g_str_equal (source_id, self->source_id);

  if (source_id != NULL) {
    g_free (self->source_id);
    self->source_id = g_strdup (source_id);
  }
  return is_other;
}

static void
resume_session (DubStream *self, gboolean is_other)
{
  gboolean was_away = self->grace_end_ns != DUB_TIME_NONE;

  self->grace_end_ns = DUB_TIME_NONE;
  if (!self->has_worker && (is_other || was_away)) {
    self->n_restarts = 0;
    start_worker (self);
  } else if (self->has_worker && (is_other || was_away)) {
    self->funcs->reconnect (self, self->user_data);
  }
}

gboolean
dub_stream_ready (DubStream *stream, const char *source_id, gint64 now_ns)
{
  gboolean is_other;

  g_return_val_if_fail (stream != NULL, FALSE);
  if (source_id != NULL && g_strcmp0 (source_id, stream->gone_id) == 0 &&
      now_ns - stream->gone_ns < LATE_NS)
    return FALSE;
  stream->is_wanted = TRUE;
  is_other = take_source (stream, source_id);
  if (is_live (stream))
    resume_session (stream, is_other);
  else if (stream->state != DUB_STREAM_STOPPING)
    begin_session (stream);
  return TRUE;
}

static gboolean
is_old (DubStream *self, const char *source_id)
{
  return source_id != NULL && self->source_id != NULL &&
         !g_str_equal (source_id, self->source_id);
}

gboolean
dub_stream_not_ready (DubStream *stream, const char *source_id, gint64 now_ns)
{
  g_return_val_if_fail (stream != NULL, FALSE);
  if (is_old (stream, source_id))
    return FALSE;
  if (source_id != NULL) {
    g_free (stream->gone_id);
    stream->gone_id = g_strdup (source_id);
    stream->gone_ns = now_ns;
  }
  if (stream->state == DUB_STREAM_STOPPING)
    stream->is_wanted = FALSE;
  if (!is_live (stream) || stream->grace_end_ns != DUB_TIME_NONE)
    return TRUE;
  stream->grace_end_ns = now_ns + stream->params.grace_ns;
  dub_stream_tick (stream, now_ns);
  return TRUE;
}

void
dub_stream_stop (DubStream *stream, gint64 now_ns)
{
  g_return_if_fail (stream != NULL);
  stream->is_wanted = FALSE;
  if (is_live (stream))
    begin_stop (stream, now_ns);
}

void
dub_stream_replace (DubStream *stream, gint64 now_ns)
{
  g_return_if_fail (stream != NULL);
  if (!is_live (stream))
    return;
  stream->is_wanted = TRUE;
  begin_stop (stream, now_ns);
  if (stream->state == DUB_STREAM_STOPPED)
    begin_session (stream);
}

void
dub_stream_adopt (DubStream *stream, gint64 now_ns)
{
  g_return_if_fail (stream != NULL && stream->state == DUB_STREAM_IDLE);
  stream->is_wanted = TRUE;
  stream->has_worker = TRUE;
  set_state (stream, DUB_STREAM_STARTING);
}

void
dub_stream_worker_running (DubStream *stream, gint64 now_ns)
{
  g_return_if_fail (stream != NULL);
  if (stream->state == DUB_STREAM_STARTING && stream->has_worker)
    set_state (stream, DUB_STREAM_RUNNING);
}

static void
plan_restart (DubStream *self, gint64 now_ns)
{
  gint64 at_ns = now_ns + next_backoff_ns (self, now_ns);

  self->restarts[self->n_restarts % MAX_RESTARTS] = at_ns;
  self->n_restarts++;
  self->restart_ns = at_ns;
  if (self->state == DUB_STREAM_RUNNING)
    set_state (self, DUB_STREAM_STARTING);
  dub_stream_tick (self, now_ns);
}

void
dub_stream_worker_exited (DubStream *stream, gint64 now_ns)
{
  g_return_if_fail (stream != NULL);
  stream->has_worker = FALSE;
  stream->kill_ns = DUB_TIME_NONE;
  if (stream->state == DUB_STREAM_STOPPING) {
    end_session (stream);
    if (stream->is_wanted)
      begin_session (stream);
  } else if (is_live (stream)) {
    /* With no publisher there is nothing to start a worker for; the next
     * ready does. */
    if (stream->grace_end_ns != DUB_TIME_NONE) {
      stream->is_wanted = FALSE;
      end_session (stream);
    } else {
      plan_restart (stream, now_ns);
    }
  }
}

static gint64
sooner (gint64 a_ns, gint64 b_ns)
{
  if (a_ns == DUB_TIME_NONE)
    return b_ns;
  return b_ns == DUB_TIME_NONE ? a_ns : MIN (a_ns, b_ns);
}

gint64
dub_stream_next_ns (DubStream *stream)
{
  g_return_val_if_fail (stream != NULL, DUB_TIME_NONE);
  return sooner (
      stream->grace_end_ns, sooner (stream->restart_ns, stream->kill_ns));
}

static gboolean
is_due (gint64 at_ns, gint64 now_ns)
{
  return at_ns != DUB_TIME_NONE && at_ns <= now_ns;
}

void
dub_stream_tick (DubStream *stream, gint64 now_ns)
{
  g_return_if_fail (stream != NULL);
  if (is_due (stream->grace_end_ns, now_ns)) {
    stream->is_wanted = FALSE;
    begin_stop (stream, now_ns);
  }
  if (is_due (stream->restart_ns, now_ns))
    start_worker (stream);
  if (is_due (stream->kill_ns, now_ns)) {
    stream->kill_ns = DUB_TIME_NONE;
    stream->funcs->kill (stream, stream->user_data);
  }
}

DubStreamState
dub_stream_get_state (DubStream *stream)
{
  g_return_val_if_fail (stream != NULL, DUB_STREAM_NONE);
  return stream->state;
}

gboolean
dub_stream_is_degraded (DubStream *stream, gint64 now_ns)
{
  g_return_val_if_fail (stream != NULL, FALSE);
  return is_live (stream) &&
         restarts_since (stream, now_ns - RESTART_WINDOW_NS) >= MAX_RESTARTS;
}

gboolean
dub_stream_in_grace (DubStream *stream)
{
  g_return_val_if_fail (stream != NULL, FALSE);
  return stream->grace_end_ns != DUB_TIME_NONE;
}

guint
dub_stream_get_restarts (DubStream *stream)
{
  g_return_val_if_fail (stream != NULL, 0);
  return stream->n_restarts;
}
