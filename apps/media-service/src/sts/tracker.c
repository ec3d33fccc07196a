/* SPDX-License-Identifier: Apache-2.0 */
#include "tracker.h"

#include <string.h>

#define N_TIMES 64    /* answer times that p95 looks at */
#define N_FINISHED 64 /* ids that a late or double answer is known by */
#define FIRST_P95_NS (1500 * DUB_NS_PER_MS)

typedef struct {
  DubFragment *fragment;
  gint64 sent_ns;
  gint64 deadline_ns;
  DubBreakerPass pass;
} Flight;

typedef struct {
  char *id;
  gboolean is_answered;
} Finished;

struct _DubTracker {
  DubTrackerParams params;
  DubTrackerFuncs funcs;
  gpointer user_data;
  DubCircuitBreaker breaker;
  DubTrackerState state;
  guint server_inflight; /* 0: no opinion */
  gint64 send_delay_ns;
  gint64 next_send_ns;
  GQueue waiting; /* DubFragment, oldest first */
  GArray *flying; /* Flight */
  Finished finished[N_FINISHED];
  guint64 n_finished;
  gint64 times_ns[N_TIMES];
  guint64 n_times;
};

const char *
dub_fallback_reason_to_string (DubFallbackReason reason)
{
  static const char *const names[] = {"none", "timeout", "failed", "overload",
      "disconnected", "not_ready", "gone", "breaker_open"};

  return reason < G_N_ELEMENTS (names) ? names[reason] : "none";
}

DubTracker *
dub_tracker_new (const DubTrackerParams *params, const DubTrackerFuncs *funcs,
    gpointer user_data)
{
  DubTracker *self = g_new0 (DubTracker, 1);

  self->params = *params;
  self->breaker.max_row = params->breaker_failures;
  self->breaker.open_ns = params->breaker_open_ns;
  self->funcs = *funcs;
  self->user_data = user_data;
  g_queue_init (&self->waiting);
  self->flying = g_array_new (FALSE, FALSE, sizeof (Flight));
  return self;
}

void
dub_tracker_free (DubTracker *self)
{
  if (self == NULL)
    return;
  g_queue_clear_full (&self->waiting, (GDestroyNotify) dub_fragment_unref);
  for (guint i = 0; i < self->flying->len; i++)
    dub_fragment_unref (g_array_index (self->flying, Flight, i).fragment);
  g_array_unref (self->flying);
  for (guint i = 0; i < N_FINISHED; i++)
    g_free (self->finished[i].id);
  g_free (self);
}

guint
dub_tracker_inflight (const DubTracker *self)
{
  return self->flying->len;
}

gint64
dub_tracker_oldest_ns (const DubTracker *self)
{
  gint64 oldest_ns = G_MAXINT64;

  for (const GList *l = self->waiting.head; l != NULL; l = l->next)
    oldest_ns = MIN (oldest_ns, ((const DubFragment *) l->data)->pcm->pts_ns);
  for (guint i = 0; i < self->flying->len; i++)
    oldest_ns = MIN (oldest_ns,
        g_array_index (self->flying, Flight, i).fragment->pcm->pts_ns);
  return oldest_ns;
}

guint
dub_tracker_waiting (const DubTracker *self)
{
  return self->waiting.length;
}

const DubCircuitBreaker *
dub_tracker_breaker (const DubTracker *self)
{
  return &self->breaker;
}

static int
compare_times (const void *a, const void *b)
{
  gint64 left = *(const gint64 *) a, right = *(const gint64 *) b;

  return (left > right) - (left < right);
}

gint64
dub_tracker_answer_p95_ns (const DubTracker *self)
{
  gint64 sorted_ns[N_TIMES];
  gsize n = MIN (self->n_times, N_TIMES);

  if (n == 0)
    return FIRST_P95_NS;
  memcpy (sorted_ns, self->times_ns, n * sizeof sorted_ns[0]);
  qsort (sorted_ns, n, sizeof sorted_ns[0], compare_times);
  return sorted_ns[(n * 95 + 99) / 100 - 1];
}

static void
note_finished (DubTracker *self, const char *id, gboolean is_answered)
{
  Finished *slot = &self->finished[self->n_finished++ % N_FINISHED];

  g_free (slot->id);
  slot->id = g_strdup (id);
  slot->is_answered = is_answered;
}

/* fragment: (transfer full) */
static void
fall_back (DubTracker *self, DubFragment *fragment, DubFallbackReason reason)
{
  note_finished (self, fragment->id, FALSE);
  self->funcs.fallback (fragment, reason, self->user_data);
  dub_fragment_unref (fragment);
}

static guint
places (const DubTracker *self)
{
  if (self->server_inflight > 0)
    return MIN (self->params.max_inflight, self->server_inflight);
  return self->params.max_inflight;
}

static void
send_next (DubTracker *self, gint64 now_ns)
{
  DubFragment *fragment = g_queue_pop_head (&self->waiting);
  Flight flight = {
      .fragment = dub_fragment_ref (fragment),
      .sent_ns = now_ns,
      .deadline_ns = MIN (
          fragment->deadline_ns, now_ns + self->params.fragment_timeout_ns),
      .pass = dub_circuit_breaker_take (&self->breaker, now_ns),
  };

  g_array_append_val (self->flying, flight);
  self->next_send_ns = now_ns + self->send_delay_ns;
  self->funcs.send (fragment, self->user_data);
}

static void
give_up_flying (DubTracker *self, gint64 now_ns)
{
  for (guint i = 0; i < self->flying->len;) {
    Flight flight = g_array_index (self->flying, Flight, i);

    if (flight.deadline_ns > now_ns) {
      i++;
      continue;
    }
    g_array_remove_index (self->flying, i);
    dub_circuit_breaker_give_back (
        &self->breaker, flight.pass, DUB_BREAKER_RESULT_FAILURE, now_ns);
    fall_back (self, flight.fragment, DUB_FALLBACK_REASON_TIMEOUT);
  }
}

/* Those that have less than that much left. Deadlines rise in order of the
 * cut, so only the oldest can be hopeless. */
static void
give_up_waiting (DubTracker *self, gint64 left_ns, gint64 now_ns)
{
  DubFragment *oldest;

  while ((oldest = g_queue_peek_head (&self->waiting)) != NULL &&
         oldest->deadline_ns - left_ns <= now_ns) {
    g_queue_pop_head (&self->waiting);
    fall_back (self, oldest, DUB_FALLBACK_REASON_OVERLOAD);
  }
}

static gboolean
is_barred (DubTracker *self, gint64 now_ns)
{
  return dub_circuit_breaker_peek (&self->breaker, now_ns) ==
         DUB_BREAKER_PASS_NONE;
}

/* When it is barred, the rest has nothing to wait for. */
static void
send_due (DubTracker *self, gint64 now_ns)
{
  while (self->state == DUB_TRACKER_READY && self->waiting.length > 0 &&
         self->flying->len < places (self) && now_ns >= self->next_send_ns &&
         !is_barred (self, now_ns))
    send_next (self, now_ns);
  while (is_barred (self, now_ns) && self->waiting.length > 0)
    fall_back (self, g_queue_pop_head (&self->waiting),
        DUB_FALLBACK_REASON_BREAKER_OPEN);
}

static gint64
next_wake_ns (const DubTracker *self)
{
  const DubFragment *oldest = g_queue_peek_head ((GQueue *) &self->waiting);
  gint64 wake_ns = G_MAXINT64;

  for (guint i = 0; i < self->flying->len; i++)
    wake_ns =
        MIN (wake_ns, g_array_index (self->flying, Flight, i).deadline_ns);
  if (oldest == NULL)
    return wake_ns;
  wake_ns =
      MIN (wake_ns, oldest->deadline_ns - dub_tracker_answer_p95_ns (self));
  if (self->state == DUB_TRACKER_READY && self->flying->len < places (self))
    wake_ns = MIN (wake_ns, self->next_send_ns);
  return wake_ns;
}

gint64
dub_tracker_run (DubTracker *self, gint64 now_ns)
{
  give_up_flying (self, now_ns);
  give_up_waiting (self, 0, now_ns);
  /* A free place is used even when the last answers were slow: it costs
   * nothing, and only an answer can tell that they are quick again. */
  send_due (self, now_ns);
  give_up_waiting (self, dub_tracker_answer_p95_ns (self), now_ns);
  return next_wake_ns (self);
}

void
dub_tracker_push (DubTracker *self, DubFragment *fragment, gint64 now_ns)
{
  if (self->state == DUB_TRACKER_LOST) {
    fall_back (self, fragment, DUB_FALLBACK_REASON_NOT_READY);
    return;
  }
  g_queue_push_tail (&self->waiting, fragment);
  dub_tracker_run (self, now_ns);
  if (self->waiting.length > self->params.max_waiting)
    fall_back (
        self, g_queue_pop_head (&self->waiting), DUB_FALLBACK_REASON_OVERLOAD);
}

static void
fall_back_all (DubTracker *self, DubFallbackReason reason, gint64 now_ns)
{
  DubFragment *fragment;

  while (self->flying->len > 0) {
    Flight flight = g_array_index (self->flying, Flight, 0);

    g_array_remove_index (self->flying, 0);
    dub_circuit_breaker_give_back (
        &self->breaker, flight.pass, DUB_BREAKER_RESULT_NEUTRAL, now_ns);
    fall_back (self, flight.fragment, reason);
  }
  while ((fragment = g_queue_pop_head (&self->waiting)) != NULL)
    fall_back (self, fragment, reason);
}

void
dub_tracker_set_state (DubTracker *self, DubTrackerState state,
    guint max_inflight, gint64 send_delay_ns, gint64 now_ns)
{
  send_delay_ns = MAX (send_delay_ns, 0);
  if (self->state == DUB_TRACKER_LOST && state != DUB_TRACKER_LOST)
    dub_circuit_breaker_service_ready (&self->breaker);
  self->state = state;
  self->server_inflight = max_inflight;
  if (send_delay_ns < self->send_delay_ns) /* no longer held back so much */
    self->next_send_ns -= self->send_delay_ns - send_delay_ns;
  self->send_delay_ns = send_delay_ns;
  if (state == DUB_TRACKER_LOST)
    fall_back_all (self, DUB_FALLBACK_REASON_DISCONNECTED, now_ns);
  else
    dub_tracker_run (self, now_ns);
}

static DubVerdict
judge_stranger (const DubTracker *self, const char *id)
{
  for (guint i = 0; i < N_FINISHED; i++) {
    const Finished *finished = &self->finished[i];

    if (g_strcmp0 (finished->id, id) == 0)
      return finished->is_answered ? DUB_VERDICT_DUPLICATE : DUB_VERDICT_LATE;
  }
  return DUB_VERDICT_UNKNOWN;
}

DubFragment *
dub_tracker_take_answer (DubTracker *self, const char *fragment_id,
    DubBreakerResult result, gint64 now_ns, DubVerdict *ret_verdict)
{
  give_up_flying (self, now_ns);
  for (guint i = 0; i < self->flying->len; i++) {
    Flight flight = g_array_index (self->flying, Flight, i);

    if (strcmp (flight.fragment->id, fragment_id) != 0)
      continue;
    g_array_remove_index (self->flying, i);
    self->times_ns[self->n_times++ % N_TIMES] = now_ns - flight.sent_ns;
    note_finished (self, fragment_id, TRUE);
    dub_circuit_breaker_give_back (&self->breaker, flight.pass, result, now_ns);
    dub_tracker_run (self, now_ns);
    *ret_verdict = DUB_VERDICT_ACCEPTED;
    return flight.fragment;
  }
  *ret_verdict = judge_stranger (self, fragment_id);
  return NULL;
}
