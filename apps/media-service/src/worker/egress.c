/* SPDX-License-Identifier: Apache-2.0 */
#include "egress.h"

#define DUB_LOG_TOPIC "media.egress"
#include "destinations.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <dubbing_common/metrics.h>
#include <media_service/safe_text.h>
#include <string.h>

#define PREFIX "egress_forwarder_"
#define CUT "…"

typedef enum { WAITING = 0, RUNNING, STOPPED } ForwarderState;

typedef struct {
  DubEgress *egress;
  DubDestination *destination;
  DubPublish *publish; /* that has the output */
  DubOutput *output;   /* NULL: it could not be made */
  char *shown_url;
  ForwarderState state;
  char *last_error;
  const char *last_kind; /* of it, as in the metrics */
  guint64 told_bytes;
  guint told_restarts;
} Forwarder;

struct _DubEgress {
  char *stream_id;
  DubEgressHandlers handlers;
  gpointer user_data;
  GPtrArray *forwarders;
  gboolean is_ending;
  DubMetrics *registry;
  DubMetric *up, *forwarding, *restarts, *retries, *latency, *bytes,
      *last_error;
};

static const char *
state_name (ForwarderState state)
{
  static const char *const names[] = {"waiting", "running", "stopped"};

  return names[state];
}

/* -- metrics ------------------------------------------------------------- */

static void
add_families (DubEgress *self)
{
  static const char *const labels[] = {"stream_id", "destination", NULL};
  static const char *const kinds[] = {
      "stream_id", "destination", "error_kind", NULL};

  self->registry = dub_metrics_new ();
  self->up = dub_metrics_gauge (
      self->registry, PREFIX "up", "1 while the destination is tried", labels);
  self->forwarding = dub_metrics_gauge (self->registry, PREFIX "forwarding",
      "1 while the destination takes the stream", labels);
  self->restarts = dub_metrics_counter (self->registry, PREFIX "restarts_total",
      "Connections after the first", labels);
  self->retries = dub_metrics_counter (self->registry, PREFIX "retry_total",
      "Connections lost or not made", kinds);
  self->latency = dub_metrics_gauge (self->registry,
      PREFIX "connect_latency_ms", "Time to make the last connection", labels);
  self->bytes = dub_metrics_counter (self->registry, PREFIX "bytes_out_total",
      "Bytes given to the destination's socket", labels);
  self->last_error = dub_metrics_gauge (self->registry, PREFIX "last_error",
      "1 for the kind of the last failure, 0 for those before", kinds);
}

static void
add_series (Forwarder *it)
{
  DubEgress *self = it->egress;
  const char *values[] = {self->stream_id, it->destination->name, NULL};

  dub_metric_set (self->up, values, it->output ? 1 : 0);
  dub_metric_set (self->forwarding, values, 0);
  dub_metric_add (self->restarts, values, 0);
  dub_metric_add (self->bytes, values, 0);
}

/* Without the key, and not longer than it may be. (transfer full) */
static char *
tellable (const char *message, const char *url)
{
  g_autofree char *hidden = dub_hide_key (message, url);
  g_autofree char *text = g_utf8_make_valid (hidden, -1);
  const gsize room = DUB_EGRESS_MAX_ERROR - strlen (CUT);
  const char *end;

  if (strlen (text) <= DUB_EGRESS_MAX_ERROR)
    return g_steal_pointer (&text);
  end = g_utf8_find_prev_char (text, text + room + 1);
  return g_strdup_printf ("%.*s" CUT, (int) (end - text), text);
}

static void
keep_error (Forwarder *it, const GError *error)
{
  DubEgress *self = it->egress;
  const char *values[] = {
      self->stream_id, it->destination->name, it->last_kind, NULL};

  if (it->last_kind)
    dub_metric_set (self->last_error, values, 0);
  it->last_kind = error->domain == DUB_ERROR
                      ? dub_error_code_to_string ((DubErrorCode) error->code)
                      : "other";
  values[2] = it->last_kind;
  dub_metric_set (self->last_error, values, 1);
  g_free (it->last_error);
  it->last_error = tellable (error->message, it->destination->url);
}

static void
count_retry (Forwarder *it)
{
  const char *values[] = {
      it->egress->stream_id, it->destination->name, it->last_kind, NULL};

  dub_metric_add (it->egress->retries, values, 1);
}

static void
update_series (Forwarder *it)
{
  DubEgress *self = it->egress;
  const char *values[] = {self->stream_id, it->destination->name, NULL};
  DubPublisherStats stats;
  guint restarts;

  dub_metric_set (self->forwarding, values, it->state == RUNNING);
  if (!it->output)
    return;
  dub_output_get_stats (it->output, &stats);
  restarts = stats.n_connections > 1 ? stats.n_connections - 1 : 0;
  dub_metric_add (
      self->bytes, values, (double) (stats.bytes_sent - it->told_bytes));
  dub_metric_add (self->restarts, values, restarts - it->told_restarts);
  if (stats.connect_ms > 0)
    dub_metric_set (self->latency, values, (double) stats.connect_ms);
  it->told_bytes = stats.bytes_sent;
  it->told_restarts = restarts;
}

void
dub_egress_update_metrics (DubEgress *self)
{
  for (guint i = 0; i < self->forwarders->len; i++)
    update_series (g_ptr_array_index (self->forwarders, i));
}

char *
dub_egress_metrics_to_text (DubEgress *self)
{
  return dub_metrics_to_text (self->registry);
}

/* -- one destination ----------------------------------------------------- */

static void
on_output_state (
    DubPublisherState state, const GError *error, gpointer user_data)
{
  Forwarder *it = user_data;
  DubEgress *self = it->egress;

  it->state = state == DUB_PUBLISHER_RUNNING ? RUNNING
              : state == DUB_PUBLISHER_ENDED ? STOPPED
                                             : WAITING;
  if (error) {
    keep_error (it, error);
    count_retry (it);
    dub_warning (
        "destination %s lost: %s", it->destination->name, it->last_error);
  } else {
    dub_info (
        "destination %s %s", it->destination->name, state_name (it->state));
  }
  if (self->is_ending && dub_egress_has_ended (self))
    self->handlers.on_ended (self->user_data);
}

static void
forwarder_free (gpointer data)
{
  Forwarder *it = data;

  if (it->output)
    dub_publish_remove (it->publish, it->output);
  dub_metrics_remove (
      it->egress->registry, "destination", it->destination->name);
  dub_destination_free (it->destination);
  g_free (it->shown_url);
  g_free (it->last_error);
  g_free (it);
}

/* destination: (transfer full). One that cannot be opened is kept, stopped, and
 * says why. */
static Forwarder *
forwarder_new (
    DubEgress *self, DubDestination *destination, DubPublish *publish)
{
  Forwarder *it = g_new0 (Forwarder, 1);
  DubOutputOptions options = {.url = destination->url, .is_foreign = TRUE};
  g_autoptr (GError) error = NULL;

  it->egress = self;
  it->destination = destination;
  it->publish = publish;
  it->shown_url = dub_redact_url (destination->url);
  it->output = dub_publish_add (publish, &options, on_output_state, it, &error);
  add_series (it);
  if (it->output) {
    dub_info ("destination %s: %s", destination->name, it->shown_url);
    return it;
  }
  it->state = STOPPED;
  keep_error (it, error);
  dub_warning (
      "destination %s cannot be used: %s", destination->name, it->last_error);
  return it;
}

static JsonObject *
describe (const Forwarder *it)
{
  JsonObject *object = json_object_new ();
  DubPublisherStats stats = {0};

  if (it->output)
    dub_output_get_stats (it->output, &stats);
  json_object_set_string_member (object, "name", it->destination->name);
  if (it->destination->language)
    json_object_set_string_member (
        object, "language", it->destination->language);
  json_object_set_string_member (object, "url", it->shown_url);
  json_object_set_string_member (object, "state", state_name (it->state));
  json_object_set_int_member (object, "connections", stats.n_connections);
  json_object_set_int_member (object, "bytes", (gint64) stats.bytes_sent);
  if (it->last_error)
    json_object_set_string_member (object, "last_error", it->last_error);
  return object;
}

/* -- all of them --------------------------------------------------------- */

DubEgress *
dub_egress_new (const char *stream_id, const DubEgressHandlers *handlers,
    gpointer user_data)
{
  DubEgress *self = g_new0 (DubEgress, 1);

  self->stream_id = g_strdup (stream_id);
  self->handlers = *handlers;
  self->user_data = user_data;
  self->forwarders = g_ptr_array_new_with_free_func (forwarder_free);
  add_families (self);
  return self;
}

void
dub_egress_free (DubEgress *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->forwarders);
  dub_metrics_unref (self->registry);
  g_free (self->stream_id);
  g_free (self);
}

static Forwarder *
find (const DubEgress *self, const DubDestination *destination)
{
  for (guint i = 0; i < self->forwarders->len; i++) {
    Forwarder *it = g_ptr_array_index (self->forwarders, i);

    if (dub_destination_equal (it->destination, destination))
      return it;
  }
  return NULL;
}

static gboolean
is_in (GPtrArray *list, const DubDestination *destination)
{
  for (guint i = 0; i < list->len; i++)
    if (dub_destination_equal (g_ptr_array_index (list, i), destination))
      return TRUE;
  return FALSE;
}

static gboolean
have_languages (const DubEgress *self, GPtrArray *list, GError **error)
{
  for (guint i = 0; i < list->len; i++) {
    const DubDestination *it = g_ptr_array_index (list, i);

    if (self->handlers.find (it->language, self->user_data))
      continue;
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "EGRESS_DESTINATIONS: %s: the stream is not dubbed into '%s'", it->name,
        it->language);
    return FALSE;
  }
  return TRUE;
}

gboolean
dub_egress_set (DubEgress *self, const char *json, GError **error)
{
  g_autoptr (GPtrArray) wanted = dub_destinations_parse (json, error);

  if (!wanted || !have_languages (self, wanted, error))
    return FALSE;
  for (guint i = self->forwarders->len; i > 0; i--) {
    const Forwarder *it = g_ptr_array_index (self->forwarders, i - 1);

    if (!is_in (wanted, it->destination)) {
      dub_info ("destination %s taken away", it->destination->name);
      g_ptr_array_remove_index (self->forwarders, i - 1);
    }
  }
  while (wanted->len > 0) {
    DubDestination *it = g_ptr_array_steal_index (wanted, 0);

    if (find (self, it))
      dub_destination_free (it);
    else
      g_ptr_array_add (self->forwarders,
          forwarder_new (
              self, it, self->handlers.find (it->language, self->user_data)));
  }
  return TRUE;
}

void
dub_egress_expect_end (DubEgress *self)
{
  self->is_ending = TRUE;
}

gboolean
dub_egress_has_ended (const DubEgress *self)
{
  for (guint i = 0; i < self->forwarders->len; i++) {
    const Forwarder *it = g_ptr_array_index (self->forwarders, i);

    if (it->state != STOPPED)
      return FALSE;
  }
  return TRUE;
}

JsonArray *
dub_egress_describe (DubEgress *self)
{
  JsonArray *list = json_array_new ();

  for (guint i = 0; i < self->forwarders->len; i++)
    json_array_add_object_element (
        list, describe (g_ptr_array_index (self->forwarders, i)));
  return list;
}
