/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.engine"

#include "engine_client.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHILD_FD 3
#define READ_BYTES (256 * 1024)

typedef struct {
  guint64 id;
  DubFrame *frame;
  gint64 asked_us;
  gint64 deadline_us;
  DubEngineDoneFunc done; /* NULL: answered or cancelled, still at work */
  gpointer user_data;
} Request;

/* One process. Freed when nothing of it can call back any more. */
typedef struct {
  GSubprocess *process;
  int fd;
  GSource *readable;
  GSource *writable; /* while there is something left to write */
  GBytes *unsent;
  gsize sent;
  DubFrameReader *reader;
  gboolean was_ready;
} Child;

struct _DubEngineClient {
  /* immutable */
  char *name;
  char **argv;
  JsonObject *load;
  DubEngineClientSettings limits; /* numbers only */
  GMainContext *context;
  DubMetrics *metrics; /* (nullable), as all families are then */
  DubMetric *ready;
  DubMetric *restarts_total;
  DubMetric *queue_seconds;

  /* owner context only */
  DubEngineState state;
  Child *child;
  GQueue waiting;     /* of Request */
  Request *running;   /* the one that the child has */
  GSource *timer;     /* at the earliest thing to happen; see arm () */
  gint64 start_at_us; /* WAITING: when to try again; STARTING: give up */
  guint failed_starts;
  gboolean is_broken; /* the last child did not load: nobody waits for it */
  guint restarts;
  guint64 last_id;
  DubFrame *hello;
  char *reason; /* why it is not ready */
};

static void pump (DubEngineClient *self);
static void arm (DubEngineClient *self);
static void child_failed (DubEngineClient *self, const char *why);

const char *
dub_engine_state_to_string (DubEngineState state)
{
  static const char *const names[] = {
      "none", "starting", "ready", "waiting", "stopped"};
  return state < G_N_ELEMENTS (names) ? names[state] : "none";
}

void
dub_engine_client_settings_init (DubEngineClientSettings *settings)
{
  *settings = (DubEngineClientSettings){
      .load_timeout_ms = 60000,
      .kill_after_ms = 2000,
      .backoff_min_ms = 250,
      .backoff_max_ms = 10000,
      .max_queue = 64,
  };
}

static const char *const *
label (DubEngineClient *self, const char **values)
{
  values[0] = self->name;
  values[1] = NULL;
  return values;
}

static void
make_metrics (DubEngineClient *self)
{
  static const char *const engine[] = {"engine", NULL};
  static const double bounds[] = {0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4};

  if (self->metrics == NULL)
    return;
  self->ready = dub_metrics_gauge (self->metrics, "sts_engine_ready",
      "Whether the engine's child has its model and answers.", engine);
  self->restarts_total =
      dub_metrics_counter (self->metrics, "sts_engine_restarts_total",
          "Children that were lost after they had been ready.", engine);
  self->queue_seconds = dub_metrics_histogram (self->metrics,
      "sts_queue_seconds", "How long requests waited for the engine.", engine,
      bounds, G_N_ELEMENTS (bounds));
}

static void
note_state (DubEngineClient *self)
{
  const char *values[2];

  if (self->ready != NULL)
    dub_metric_set (
        self->ready, label (self, values), self->state == DUB_ENGINE_READY);
}

static void
note_restart (DubEngineClient *self)
{
  const char *values[2];

  self->restarts++;
  if (self->restarts_total != NULL)
    dub_metric_add (self->restarts_total, label (self, values), 1);
}

static void
note_waited (DubEngineClient *self, const Request *request)
{
  const char *values[2];
  gint64 waited = g_get_monotonic_time () - request->asked_us;

  if (self->queue_seconds != NULL)
    dub_metric_observe (self->queue_seconds, label (self, values),
        waited / (double) G_USEC_PER_SEC);
}

static void
set_state (DubEngineClient *self, DubEngineState state)
{
  if (self->state == state)
    return;
  dub_debug ("%s: %s -> %s", self->name,
      dub_engine_state_to_string (self->state),
      dub_engine_state_to_string (state));
  self->state = state;
  note_state (self);
}

/* ---- requests ---------------------------------------------------------- */

static void
request_free (Request *request)
{
  dub_frame_free (request->frame);
  g_free (request);
}

/* Answers once. done may call back into the client. */
static void
request_answer (Request *request, const DubFrame *answer, const GError *error)
{
  DubEngineDoneFunc done = request->done;

  request->done = NULL;
  if (done != NULL)
    done (answer, error, request->user_data);
}

static void
request_fail (Request *request, DubErrorCode code, const char *message)
{
  g_autoptr (GError) error = g_error_new_literal (DUB_ERROR, code, message);

  request_answer (request, NULL, error);
}

static void
fail_running (DubEngineClient *self, DubErrorCode code, const char *message)
{
  Request *request = g_steal_pointer (&self->running);

  if (request == NULL)
    return;
  request_fail (request, code, message);
  request_free (request);
}

static void
fail_waiting (DubEngineClient *self, DubErrorCode code, const char *message)
{
  guint n = g_queue_get_length (&self->waiting);

  /* Not those that done puts in behind. */
  while (n-- > 0 && !g_queue_is_empty (&self->waiting)) {
    Request *request = g_queue_pop_head (&self->waiting);
    request_fail (request, code, message);
    request_free (request);
  }
}

/* ---- the child --------------------------------------------------------- */

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
child_free (Child *child)
{
  clear_source (&child->readable);
  clear_source (&child->writable);
  g_clear_pointer (&child->unsent, g_bytes_unref);
  g_clear_pointer (&child->reader, dub_frame_reader_free);
  if (child->fd >= 0)
    close (child->fd);
  if (child->process != NULL)
    g_subprocess_force_exit (child->process); /* GLib reaps it */
  g_clear_object (&child->process);
  g_free (child);
}

static GSource *
watch (DubEngineClient *self, int fd, GIOCondition condition,
    GUnixFDSourceFunc func)
{
  GSource *source = g_unix_fd_source_new (fd, condition);

  g_source_set_callback (source, G_SOURCE_FUNC (func), self, NULL);
  g_source_attach (source, self->context);
  return source;
}

/* Writes what the kernel takes. FALSE: the child is gone. */
static gboolean
child_flush (Child *child)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (child->unsent, &length);

  while (child->sent < length) {
    ssize_t n = send (child->fd, data + child->sent, length - child->sent,
        MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno == EAGAIN || errno == EWOULDBLOCK;
    child->sent += (gsize) n;
  }
  g_clear_pointer (&child->unsent, g_bytes_unref);
  child->sent = 0;
  return TRUE;
}

static gboolean
on_writable (int fd, GIOCondition condition, gpointer user_data)
{
  DubEngineClient *self = user_data;
  Child *child = self->child;

  if (!child_flush (child)) {
    child_failed (self, "its socket broke");
    return G_SOURCE_REMOVE;
  }
  if (child->unsent != NULL)
    return G_SOURCE_CONTINUE;
  g_clear_pointer (&child->writable, g_source_unref);
  pump (self);
  return G_SOURCE_REMOVE;
}

static void
child_send (DubEngineClient *self, GBytes *bytes)
{
  Child *child = self->child;

  child->unsent = g_bytes_ref (bytes);
  child->sent = 0;
  /* A broken socket is seen by the reader at once. */
  if (!child_flush (child))
    g_clear_pointer (&child->unsent, g_bytes_unref);
  else if (child->unsent != NULL)
    child->writable = watch (self, child->fd, G_IO_OUT, on_writable);
}

static DubErrorCode
code_from_string (const char *name)
{
  for (int code = DUB_ERROR_INVALID; code <= DUB_ERROR_ENGINE; code++)
    if (g_strcmp0 (name, dub_error_code_to_string (code)) == 0)
      return code;
  return DUB_ERROR_ENGINE;
}

static void
child_is_ready (DubEngineClient *self, DubFrame *hello)
{
  g_clear_pointer (&self->hello, dub_frame_free);
  self->hello = hello;
  self->child->was_ready = TRUE;
  self->failed_starts = 0;
  self->is_broken = FALSE;
  g_clear_pointer (&self->reason, g_free);
  set_state (self, DUB_ENGINE_READY);
  dub_info ("engine %s is ready", self->name);
}

static void
take_answer (DubEngineClient *self, const DubFrame *frame, gboolean is_error)
{
  Request *request = g_steal_pointer (&self->running);

  if (is_error)
    request_fail (request,
        code_from_string (dub_frame_get_string (frame, "code", "")),
        dub_frame_get_string (frame, "message", "the engine failed"));
  else
    request_answer (request, frame, NULL);
  request_free (request);
}

/* frame (transfer full). FALSE: the child was lost over it. */
static gboolean
take_frame (DubEngineClient *self, DubFrame *taken)
{
  g_autoptr (DubFrame) frame = taken;
  const char *op = dub_frame_get_string (frame, "op", "");
  gboolean is_error = g_str_equal (op, "error");
  gint64 id = dub_frame_get_int (frame, "id", -1);

  if (self->state == DUB_ENGINE_STARTING && g_str_equal (op, "ready")) {
    child_is_ready (self, g_steal_pointer (&frame));
    return TRUE;
  }
  if (self->state == DUB_ENGINE_STARTING && is_error) {
    child_failed (self, dub_frame_get_string (frame, "message", "no reason"));
    return FALSE;
  }
  if (self->running != NULL && id == (gint64) self->running->id &&
      (is_error || g_str_equal (op, "result"))) {
    take_answer (self, frame, is_error);
    return TRUE;
  }
  child_failed (self, "it answered what was not asked");
  return FALSE;
}

/* FALSE: the child was lost. */
static gboolean
take_frames (DubEngineClient *self)
{
  for (;;) {
    g_autoptr (GError) error = NULL;
    DubFrame *frame = NULL;

    if (!dub_frame_reader_next (self->child->reader, &frame, &error)) {
      child_failed (self, error->message);
      return FALSE;
    }
    if (frame == NULL)
      return TRUE;
    if (!take_frame (self, frame))
      return FALSE;
  }
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  DubEngineClient *self = user_data;
  g_autofree guint8 *buffer = g_malloc (READ_BYTES);
  ssize_t n = recv (fd, buffer, READ_BYTES, MSG_DONTWAIT);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (n <= 0) {
    child_failed (self, "it ended");
    return G_SOURCE_REMOVE;
  }
  dub_frame_reader_push (self->child->reader, buffer, (gsize) n);
  if (!take_frames (self))
    return G_SOURCE_REMOVE;
  pump (self);
  return G_SOURCE_CONTINUE;
}

static GSubprocess *
spawn (DubEngineClient *self, int fd, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);

  /* A model's threads wait for each other hundreds of times a second. One that
   * spins takes the core from the one it waits for as soon as the programme
   * needs it too (docs/internals/speech.md). */
  g_subprocess_launcher_setenv (launcher, "OMP_WAIT_POLICY", "passive", FALSE);
  g_subprocess_launcher_take_fd (launcher, fd, CHILD_FD);
  return g_subprocess_launcher_spawnv (
      launcher, (const char *const *) self->argv, error);
}

static gboolean
child_start (DubEngineClient *self, GError **error)
{
  g_autoptr (DubFrame) load =
      dub_frame_new (json_object_ref (self->load), NULL);
  g_autoptr (GBytes) bytes = dub_frame_pack (load, error);
  int fds[2];

  if (bytes == NULL)
    return FALSE;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE, "socketpair: %s",
        g_strerror (errno));
    return FALSE;
  }
  self->child = g_new0 (Child, 1);
  self->child->fd = fds[0];
  self->child->reader = dub_frame_reader_new ();
  self->child->process = spawn (self, fds[1], error);
  if (self->child->process == NULL)
    return FALSE;
  self->child->readable =
      watch (self, fds[0], G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable);
  child_send (self, bytes);
  return TRUE;
}

static guint
backoff_ms (DubEngineClient *self)
{
  guint64 wait = (guint64) self->limits.backoff_min_ms
                 << MIN (self->failed_starts, 16);

  return (guint) MIN (wait, self->limits.backoff_max_ms);
}

/* The child is no use any more: its request fails, a new one comes. */
static void
child_failed (DubEngineClient *self, const char *why)
{
  g_autofree char *text = g_strdup_printf ("engine %s: %s", self->name, why);
  gboolean was_ready = self->child != NULL && self->child->was_ready;

  g_clear_pointer (&self->child, child_free);
  /* The same fault every ten seconds is worth one line. */
  if (g_strcmp0 (text, self->reason) != 0)
    dub_warning ("%s", text);
  self->start_at_us =
      g_get_monotonic_time () + (gint64) backoff_ms (self) * 1000;
  if (was_ready)
    note_restart (self);
  self->failed_starts++;
  g_free (self->reason);
  self->reason = g_strdup (text);
  set_state (self, DUB_ENGINE_WAITING);
  fail_running (self, DUB_ERROR_ENGINE, text);
  if (!was_ready) {
    self->is_broken = TRUE;
    fail_waiting (self, DUB_ERROR_UNAVAILABLE, text);
  }
  arm (self);
}

static void
start (DubEngineClient *self)
{
  g_autoptr (GError) error = NULL;

  set_state (self, DUB_ENGINE_STARTING);
  self->start_at_us =
      g_get_monotonic_time () + (gint64) self->limits.load_timeout_ms * 1000;
  if (!child_start (self, &error))
    child_failed (self, error->message);
}

/* ---- time -------------------------------------------------------------- */

static gint64
kill_time_us (DubEngineClient *self)
{
  return self->running->deadline_us +
         (gint64) self->limits.kill_after_ms * 1000;
}

/* One timer for all: the earliest moment at which anything is due. */
static void
arm (DubEngineClient *self)
{
  gint64 due = G_MAXINT64;

  if (self->state == DUB_ENGINE_STARTING || self->state == DUB_ENGINE_WAITING)
    due = self->start_at_us;
  for (GList *l = self->waiting.head; l != NULL; l = l->next)
    due = MIN (due, ((Request *) l->data)->deadline_us);
  if (self->running != NULL)
    due = MIN (due, self->running->done != NULL ? self->running->deadline_us
                                                : kill_time_us (self));
  g_source_set_ready_time (self->timer, due == G_MAXINT64 ? -1 : due);
}

static void
drop_late (DubEngineClient *self, gint64 now)
{
  GList *l = self->waiting.head;

  while (l != NULL) {
    GList *next = l->next;
    Request *request = l->data;

    if (request->deadline_us <= now) {
      g_queue_delete_link (&self->waiting, l);
      request_fail (request, DUB_ERROR_TIMEOUT,
          "its time passed before the engine was free");
      request_free (request);
      next = self->waiting.head; /* done may have changed the list */
    }
    l = next;
  }
}

static void
check_running (DubEngineClient *self, gint64 now)
{
  if (self->running == NULL)
    return;
  if (self->running->deadline_us <= now)
    request_fail (
        self->running, DUB_ERROR_TIMEOUT, "the engine did not answer in time");
  if (self->running != NULL && kill_time_us (self) <= now)
    child_failed (self, "it hung and was killed");
}

static gboolean
on_timer (gpointer user_data)
{
  DubEngineClient *self = user_data;
  gint64 now = g_get_monotonic_time ();

  g_source_set_ready_time (self->timer, -1);
  check_running (self, now);
  if (self->state == DUB_ENGINE_WAITING && self->start_at_us <= now)
    start (self);
  else if (self->state == DUB_ENGINE_STARTING && self->start_at_us <= now)
    child_failed (self, "it did not load in time and was killed");
  pump (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_timer (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = {.dispatch = dispatch_timer};

/* Gives the child its next request when it is free. */
static void
pump (DubEngineClient *self)
{
  drop_late (self, g_get_monotonic_time ());
  while (self->state == DUB_ENGINE_READY && self->running == NULL &&
         self->child->unsent == NULL && !g_queue_is_empty (&self->waiting)) {
    Request *request = g_queue_pop_head (&self->waiting);
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) bytes = dub_frame_pack (request->frame, &error);

    if (bytes == NULL) {
      request_answer (request, NULL, error);
      request_free (request);
      continue;
    }
    self->running = request;
    note_waited (self, request);
    child_send (self, bytes);
  }
  arm (self);
}

/* What is due first goes first: a live stream before a file. */
static int
compare_deadlines (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const Request *x = a, *y = b;

  return (x->deadline_us > y->deadline_us) - (x->deadline_us < y->deadline_us);
}

/* ---- the face ---------------------------------------------------------- */

DubEngineClient *
dub_engine_client_new (const DubEngineClientSettings *settings)
{
  DubEngineClient *self = g_new0 (DubEngineClient, 1);

  self->name = g_strdup (settings->name);
  self->argv = g_strdupv ((char **) settings->argv);
  self->load = json_object_ref (settings->load);
  json_object_set_string_member (self->load, "op", "load");
  self->limits = *settings;
  self->context = g_main_context_ref_thread_default ();
  if (settings->metrics != NULL)
    self->metrics = dub_metrics_ref (settings->metrics);
  make_metrics (self);
  g_queue_init (&self->waiting);
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, self->context);
  start (self);
  arm (self);
  return self;
}

void
dub_engine_client_free (DubEngineClient *self)
{
  if (self == NULL)
    return;
  set_state (self, DUB_ENGINE_STOPPED);
  g_clear_pointer (&self->child, child_free);
  fail_running (self, DUB_ERROR_DISCONNECTED, "the service is ending");
  fail_waiting (self, DUB_ERROR_DISCONNECTED, "the service is ending");
  clear_source (&self->timer);
  g_clear_pointer (&self->hello, dub_frame_free);
  g_clear_pointer (&self->load, json_object_unref);
  g_clear_pointer (&self->metrics, dub_metrics_unref);
  g_main_context_unref (self->context);
  g_strfreev (self->argv);
  g_free (self->reason);
  g_free (self->name);
  g_free (self);
}

typedef struct {
  GError *error;
  DubEngineDoneFunc done;
  gpointer user_data;
} Refusal;

static void
refusal_free (gpointer data)
{
  Refusal *refusal = data;

  g_error_free (refusal->error);
  g_free (refusal);
}

static gboolean
on_refused (gpointer user_data)
{
  Refusal *refusal = user_data;

  refusal->done (NULL, refusal->error, refusal->user_data);
  return G_SOURCE_REMOVE;
}

/* error (transfer full) */
static void
refuse_later (DubEngineClient *self, GError *error, DubEngineDoneFunc done,
    gpointer user_data)
{
  GSource *source = g_idle_source_new ();
  Refusal *refusal = g_new (Refusal, 1);

  *refusal = (Refusal){error, done, user_data};
  g_source_set_callback (source, on_refused, refusal, refusal_free);
  g_source_attach (source, self->context);
  g_source_unref (source);
}

static GError *
why_not_now (DubEngineClient *self)
{
  if (self->is_broken)
    return g_error_new_literal (DUB_ERROR, DUB_ERROR_UNAVAILABLE, self->reason);
  if (g_queue_get_length (&self->waiting) >= self->limits.max_queue)
    return g_error_new_literal (DUB_ERROR, DUB_ERROR_OVERLOADED,
        "too many fragments wait for the engine");
  return NULL;
}

guint64
dub_engine_client_request (DubEngineClient *self, DubFrame *frame,
    gint64 deadline_ns, DubEngineDoneFunc done, gpointer user_data)
{
  Request *request = NULL;
  GError *refused = why_not_now (self);

  self->last_id++;
  if (refused != NULL) {
    dub_frame_free (frame);
    refuse_later (self, refused, done, user_data);
    return self->last_id;
  }
  request = g_new0 (Request, 1);
  request->id = self->last_id;
  request->frame = frame;
  request->asked_us = g_get_monotonic_time ();
  request->deadline_us = deadline_ns / 1000;
  request->done = done;
  request->user_data = user_data;
  json_object_set_int_member (frame->header, "id", (gint64) request->id);
  json_object_set_int_member (frame->header, "deadline_ns", deadline_ns);
  g_queue_insert_sorted (&self->waiting, request, compare_deadlines, NULL);
  /* The timer sends it: done must not be called from in here. */
  if (self->state == DUB_ENGINE_READY && self->running == NULL)
    g_source_set_ready_time (self->timer, 0);
  else
    arm (self);
  return request->id;
}

static gpointer
cancel_running (DubEngineClient *self)
{
  if (self->running->done == NULL)
    return NULL;
  self->running->done = NULL;
  arm (self);
  return self->running->user_data;
}

gpointer
dub_engine_client_cancel (DubEngineClient *self, guint64 id)
{
  if (self->running != NULL && self->running->id == id)
    return cancel_running (self);
  for (GList *l = self->waiting.head; l != NULL; l = l->next) {
    Request *request = l->data;
    gpointer user_data = request->user_data;

    if (request->id != id)
      continue;
    g_queue_delete_link (&self->waiting, l);
    request_free (request);
    return user_data;
  }
  return NULL;
}

DubEngineState
dub_engine_client_get_state (DubEngineClient *self)
{
  return self->state;
}

gboolean
dub_engine_client_is_ready (DubEngineClient *self, GError **error)
{
  if (self->state == DUB_ENGINE_READY)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE, "%s%s%s",
      self->reason != NULL ? self->reason : "engine ",
      self->reason != NULL ? "" : self->name,
      self->reason != NULL ? "" : " is loading its model");
  return FALSE;
}

const DubFrame *
dub_engine_client_get_hello (DubEngineClient *self)
{
  return self->hello;
}

guint
dub_engine_client_get_depth (DubEngineClient *self)
{
  return g_queue_get_length (&self->waiting) + (self->running != NULL);
}

guint
dub_engine_client_get_restarts (DubEngineClient *self)
{
  return self->restarts;
}

int
dub_engine_client_get_pid (DubEngineClient *self)
{
  const char *id = NULL;

  if (self->child == NULL || self->child->process == NULL)
    return 0;
  id = g_subprocess_get_identifier (self->child->process);
  return id != NULL ? (int) g_ascii_strtoll (id, NULL, 10) : 0;
}
