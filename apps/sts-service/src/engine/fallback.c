/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.engine"

#include "fallback.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <dubbing_common/log.h>

#define PATIENCE 3
#define SKIP_MS 30000
/* Less time than this is not worth another try. */
#define MIN_LEFT_NS (150 * DUB_NS_PER_MS)
#define NO_MEMBER G_MAXUINT
/* tried is a set of bits */
#define MAX_MEMBERS 64

typedef struct {
  gpointer engine;
  guint failures; /* in a row */
  gint64 skip_until_ns;
} Member;

struct _DubFallback {
  const DubFallbackFuncs *funcs;
  gpointer owner;
  GArray *members;   /* of Member */
  GHashTable *calls; /* id → DubFallbackCall, owned */
  guint64 last_id;
  guint patience;
  gint64 skip_ns;
  DubMetrics *metrics; /* (nullable) */
  DubMetric *requests_total;
};

struct _DubFallbackCall {
  DubFallback *list;
  guint64 id;
  gpointer request;
  gint64 deadline_ns;
  GCallback done;
  gpointer user_data;
  guint member; /* who has it; NO_MEMBER: nobody could */
  guint64 member_id;
  guint64 tried;
  GSource *refusal;
};

static gint64
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

static Member *
member_at (DubFallback *self, guint index)
{
  return &g_array_index (self->members, Member, index);
}

static const char *
member_name (DubFallback *self, guint index)
{
  return self->funcs->name (member_at (self, index)->engine);
}

/* ---- the list ----------------------------------------------------------- */

static void
call_free (gpointer data)
{
  DubFallbackCall *call = data;

  if (call->refusal != NULL) {
    g_source_destroy (call->refusal);
    g_source_unref (call->refusal);
  }
  g_free (call->request);
  g_free (call);
}

DubFallback *
dub_fallback_new (
    const DubFallbackFuncs *funcs, gpointer owner, DubMetrics *metrics)
{
  static const char *const labels[] = {"stage", "engine", "outcome", NULL};
  DubFallback *self = g_new0 (DubFallback, 1);

  self->funcs = funcs;
  self->owner = owner;
  self->members = g_array_new (FALSE, TRUE, sizeof (Member));
  self->calls =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, call_free);
  dub_fallback_set_patience (self, PATIENCE, SKIP_MS);
  if (metrics != NULL) {
    self->metrics = dub_metrics_ref (metrics);
    self->requests_total = dub_metrics_counter (metrics,
        "sts_engine_requests_total",
        "Requests that an engine answered (ok) or failed (failed).", labels);
  }
  return self;
}

/* Who still waits is told, as by a single engine that goes. */
static void
let_all_go (DubFallback *self)
{
  g_autoptr (GList) calls = g_hash_table_get_values (self->calls);
  g_autoptr (GError) error = g_error_new_literal (
      DUB_ERROR, DUB_ERROR_DISCONNECTED, "the service is ending");

  for (GList *l = calls; l != NULL; l = l->next) {
    DubFallbackCall *call = l->data;

    if (call->member != NO_MEMBER)
      self->funcs->cancel (
          member_at (self, call->member)->engine, call->member_id);
    call->member = NO_MEMBER; /* nobody else is asked */
    self->funcs->fail (call, error);
  }
}

void
dub_fallback_free (DubFallback *self)
{
  if (self == NULL)
    return;
  let_all_go (self);
  g_hash_table_unref (self->calls);
  for (guint i = 0; i < self->members->len; i++)
    self->funcs->free (member_at (self, i)->engine);
  g_array_unref (self->members);
  g_clear_pointer (&self->metrics, dub_metrics_unref);
  g_free (self);
}

void
dub_fallback_add (DubFallback *self, gpointer engine)
{
  const Member member = {.engine = engine};

  g_return_if_fail (self->members->len < MAX_MEMBERS);
  g_array_append_val (self->members, member);
}

guint
dub_fallback_get_n (DubFallback *self)
{
  return self->members->len;
}

gpointer
dub_fallback_get (DubFallback *self, guint index)
{
  return member_at (self, index)->engine;
}

void
dub_fallback_set_patience (DubFallback *self, guint failures, guint skip_ms)
{
  self->patience = failures;
  self->skip_ns = skip_ms * DUB_NS_PER_MS;
}

gboolean
dub_fallback_is_ready (DubFallback *self, GError **error)
{
  for (guint i = 0; i < self->members->len; i++)
    if (self->funcs->is_ready (member_at (self, i)->engine, NULL))
      return TRUE;
  return self->funcs->is_ready (member_at (self, 0)->engine, error);
}

char *
dub_fallback_dup_names (DubFallback *self)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < self->members->len; i++)
    g_string_append_printf (
        names, "%s%s", i > 0 ? "," : "", member_name (self, i));
  return g_string_free (names, FALSE);
}

/* ---- who is asked ------------------------------------------------------- */

/* How gladly it is asked: 3 ready, 2 not ready yet, 1 passed over. */
static guint
rank_of (DubFallback *self, const Member *member)
{
  if (member->skip_until_ns > now_ns ())
    return 1;
  return self->funcs->is_ready (member->engine, NULL) ? 3 : 2;
}

/* The first of the best rank. */
static guint
choose (DubFallback *self, gconstpointer request, guint64 tried)
{
  guint best = NO_MEMBER, best_rank = 0;

  for (guint i = 0; i < self->members->len; i++) {
    Member *member = member_at (self, i);
    guint rank;

    if ((tried >> i & 1) != 0 ||
        !self->funcs->is_able (member->engine, request))
      continue;
    rank = rank_of (self, member);
    if (rank > best_rank) {
      best = i;
      best_rank = rank;
    }
  }
  return best;
}

gpointer
dub_fallback_choose (DubFallback *self, gconstpointer request)
{
  guint index = choose (self, request, 0);

  return index != NO_MEMBER ? member_at (self, index)->engine : NULL;
}

/* ---- health ------------------------------------------------------------- */

static void
count (DubFallback *self, guint index, gboolean is_ok)
{
  const char *values[] = {self->funcs->stage, member_name (self, index),
      is_ok ? "ok" : "failed", NULL};

  if (self->requests_total != NULL)
    dub_metric_add (self->requests_total, values, 1);
}

static void
note_ok (DubFallback *self, guint index)
{
  Member *member = member_at (self, index);

  count (self, index, TRUE);
  member->failures = 0;
  member->skip_until_ns = 0;
}

/* Is it the engine that is at fault, rather than what it was asked? */
static gboolean
is_engines_fault (const GError *error)
{
  return dub_error_is_retryable (error) ||
         g_error_matches (error, DUB_ERROR, DUB_ERROR_AUTH) ||
         g_error_matches (error, DUB_ERROR, DUB_ERROR_PROTOCOL) ||
         g_error_matches (error, DUB_ERROR, DUB_ERROR_NOT_FOUND);
}

static void
note_failed (DubFallback *self, guint index, const GError *error)
{
  Member *member = member_at (self, index);

  count (self, index, FALSE);
  if (!is_engines_fault (error) || ++member->failures < self->patience)
    return;
  if (member->failures == self->patience && self->members->len > 1)
    dub_warning ("%s: %s failed %u times in a row and is passed over for "
                 "%u s: %s",
        self->funcs->stage, member_name (self, index), member->failures,
        (guint) (self->skip_ns / DUB_NS_PER_S), error->message);
  member->skip_until_ns = now_ns () + self->skip_ns;
}

/* ---- calls -------------------------------------------------------------- */

static void
begin (DubFallbackCall *call, guint index)
{
  DubFallback *self = call->list;

  call->member = index;
  call->tried |= G_GUINT64_CONSTANT (1) << index;
  call->member_id =
      self->funcs->begin (member_at (self, index)->engine, call->request, call);
}

static gboolean
on_refused (gpointer user_data)
{
  DubFallbackCall *call = user_data;
  g_autoptr (GError) error = g_error_new (DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "%s: no engine can do it", call->list->funcs->stage);

  call->list->funcs->fail (call, error);
  return G_SOURCE_REMOVE;
}

/* Never from inside the call that asks. */
static void
refuse_later (DubFallbackCall *call)
{
  call->member = NO_MEMBER;
  call->refusal = g_idle_source_new ();
  g_source_set_priority (call->refusal, G_PRIORITY_DEFAULT);
  g_source_set_callback (call->refusal, on_refused, call, NULL);
  g_source_attach (call->refusal, g_main_context_get_thread_default ());
}

guint64
dub_fallback_ask (DubFallback *self, gconstpointer request, gsize size,
    gint64 deadline_ns, GCallback done, gpointer user_data)
{
  DubFallbackCall *call = g_new0 (DubFallbackCall, 1);
  guint index = choose (self, request, 0);

  *call = (DubFallbackCall){.list = self,
      .id = ++self->last_id,
      .request = g_memdup2 (request, size),
      .deadline_ns = deadline_ns,
      .done = done,
      .user_data = user_data};
  g_hash_table_insert (self->calls, &call->id, call);
  if (index == NO_MEMBER)
    refuse_later (call);
  else
    begin (call, index);
  return call->id;
}

void
dub_fallback_cancel (DubFallback *self, guint64 id)
{
  DubFallbackCall *call = g_hash_table_lookup (self->calls, &id);

  if (call == NULL)
    return;
  if (call->member != NO_MEMBER)
    self->funcs->cancel (
        member_at (self, call->member)->engine, call->member_id);
  g_hash_table_remove (self->calls, &id);
}

gboolean
dub_fallback_call_retry (DubFallbackCall *call, const GError *error)
{
  DubFallback *self = call->list;
  guint next;

  if (call->member == NO_MEMBER)
    return FALSE;
  note_failed (self, call->member, error);
  if (call->deadline_ns - now_ns () < MIN_LEFT_NS)
    return FALSE;
  next = choose (self, call->request, call->tried);
  if (next == NO_MEMBER)
    return FALSE;
  dub_debug ("%s: %s failed, %s is asked: %s", self->funcs->stage,
      member_name (self, call->member), member_name (self, next),
      error->message);
  begin (call, next);
  return TRUE;
}

DubFallbackEnd
dub_fallback_call_end (DubFallbackCall *call, gboolean is_ok)
{
  DubFallback *self = call->list;
  DubFallbackEnd end = {
      .owner = self->owner, .done = call->done, .user_data = call->user_data};

  if (call->member != NO_MEMBER) {
    end.engine = member_name (self, call->member);
    end.member = member_at (self, call->member)->engine;
  }
  if (is_ok)
    note_ok (self, call->member);
  g_hash_table_remove (self->calls, &call->id);
  return end;
}
