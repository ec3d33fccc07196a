/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.api"
#include "path_list.h"

#include "../control/json_text.h"
#include "../orchestrator/stream_options.h"

#include <dubbing_common/log.h>
#include <libsoup/soup.h>
#include <string.h>

#define MAX_ANSWER_BYTES (4 * 1024 * 1024)
#define TIMEOUT_S 5

struct _DubPathList {
  DubOrchestrator *orchestrator;
  SoupSession *session;
  GCancellable *cancellable;
  char *url;
  guint timer_id;
  gboolean is_asking;
  gboolean is_failing; /* and was logged */
};

/* "live/<id>/in" with a publisher. (transfer full) (nullable) */
static char *
item_to_id (JsonNode *node)
{
  JsonObject *item;
  const char *name;
  JsonNode *ready;
  g_autofree char *id = NULL;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return NULL;
  item = json_node_get_object (node);
  name = dub_json_object_get_text (item, "name");
  ready = json_object_get_member (item, "ready");
  if (name == NULL || ready == NULL ||
      json_node_get_value_type (ready) != G_TYPE_BOOLEAN ||
      !json_node_get_boolean (ready) || !g_str_has_prefix (name, "live/") ||
      !g_str_has_suffix (name, "/in") || strlen (name) < strlen ("live/x/in"))
    return NULL;
  id = g_strndup (name + strlen ("live/"),
      strlen (name) - strlen ("live/") - strlen ("/in"));
  return dub_stream_id_is_valid (id) ? g_steal_pointer (&id) : NULL;
}

/* A list of several pages would seem to miss streams. */
static gboolean
is_whole (JsonObject *answer)
{
  return json_object_get_int_member_with_default (answer, "pageCount", 1) <= 1;
}

char **
dub_path_list_parse (const char *text, gsize length)
{
  g_autoptr (JsonObject) answer =
      dub_json_object_parse (text, (gssize) length, MAX_ANSWER_BYTES, NULL);
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  JsonNode *items;
  JsonArray *array;

  if (answer == NULL || !is_whole (answer))
    return NULL;
  items = json_object_get_member (answer, "items");
  if (items == NULL || !JSON_NODE_HOLDS_ARRAY (items))
    return NULL;
  array = json_node_get_array (items);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    char *id = item_to_id (json_array_get_element (array, i));

    if (id != NULL)
      g_ptr_array_add (ids, id);
  }
  g_ptr_array_add (ids, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&ids), FALSE);
}

static void
take_failure (DubPathList *self, const char *what)
{
  if (!self->is_failing)
    dub_info ("%s cannot be asked for its streams (%s); events alone start "
              "and stop workers until it can",
        self->url, what);
  self->is_failing = TRUE;
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  SoupSession *session = SOUP_SESSION (source);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes =
      soup_session_send_and_read_finish (session, result, &error);
  SoupMessage *message =
      soup_session_get_async_result_message (session, result);
  guint status = soup_message_get_status (message);
  g_auto (GStrv) ids = NULL;
  DubPathList *self = user_data;

  /* Cancelled: we are freed. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  self->is_asking = FALSE;
  if (bytes != NULL && status == SOUP_STATUS_OK)
    ids = dub_path_list_parse (
        g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  if (ids == NULL) {
    take_failure (self, error != NULL ? error->message
                        : status != SOUP_STATUS_OK
                            ? soup_status_get_phrase (status)
                            : "an answer that is no list of paths");
    return;
  }
  self->is_failing = FALSE;
  dub_orchestrator_reconcile (self->orchestrator, (const char *const *) ids);
}

static gboolean
ask (gpointer user_data)
{
  DubPathList *self = user_data;
  g_autoptr (SoupMessage) message = NULL;

  if (self->is_asking)
    return G_SOURCE_CONTINUE;
  message = soup_message_new ("GET", self->url);
  if (message == NULL)
    return G_SOURCE_CONTINUE;
  self->is_asking = TRUE;
  soup_session_send_and_read_async (self->session, message, G_PRIORITY_DEFAULT,
      self->cancellable, on_answer, self);
  return G_SOURCE_CONTINUE;
}

DubPathList *
dub_path_list_new (
    const DubServiceSettings *settings, DubOrchestrator *orchestrator)
{
  DubPathList *self;

  if (settings->mediamtx_api_url == NULL || settings->reconcile_ms == 0)
    return NULL;
  self = g_new0 (DubPathList, 1);
  self->orchestrator = orchestrator;
  /* It stands beside us: no proxy of the environment has part in it. */
  self->session = soup_session_new_with_options (
      "timeout", TIMEOUT_S, "proxy-resolver", NULL, NULL);
  self->cancellable = g_cancellable_new ();
  self->url = g_strdup_printf (
      "%s/v3/paths/list?itemsPerPage=1000", settings->mediamtx_api_url);
  self->timer_id = g_timeout_add ((guint) settings->reconcile_ms, ask, self);
  ask (self);
  return self;
}

void
dub_path_list_free (DubPathList *self)
{
  if (self == NULL)
    return;
  g_source_remove (self->timer_id);
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  g_object_unref (self->session);
  g_free (self->url);
  g_free (self);
}
