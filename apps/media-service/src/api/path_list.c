/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.api"
#include "path_list.h"

#include "../control/json_text.h"
#include "../orchestrator/media_url.h"
#include "../orchestrator/stream_settings.h"

#include <dubbing_common/log.h>
#include <libsoup/soup.h>
#include <string.h>

#define MAX_ANSWER_BYTES (4 * 1024 * 1024)
#define TIMEOUT_S 5

struct _DubPathList {
  DubOrchestrator *orchestrator;
  SoupSession *session;
  GCancellable *cancellable;
  char *paths_url, *connections_url;
  char *path_url;      /* of one; its name without "live/" comes behind it */
  char *authorization; /* (nullable) */
  GArray *streams;     /* DubPresent; while their queries are asked for */
  guint timer_id;
  gboolean is_asking;
  gboolean is_failing; /* and was logged */
};

static void
present_clear (gpointer data)
{
  DubPresent *self = data;

  g_free (self->stream_id);
  g_free (self->query);
}

/* The id of "live/<id>/in". (transfer full) (nullable) */
static char *
path_to_id (const char *path)
{
  g_autofree char *id = NULL;

  if (path == NULL || !g_str_has_prefix (path, "live/") ||
      !g_str_has_suffix (path, "/in") || strlen (path) < strlen ("live/x/in"))
    return NULL;
  id = g_strndup (path + strlen ("live/"),
      strlen (path) - strlen ("live/") - strlen ("/in"));
  return dub_stream_id_is_valid (id) ? g_steal_pointer (&id) : NULL;
}

static gboolean
is_ready (JsonObject *item)
{
  JsonNode *ready = json_object_get_member (item, "ready");

  return ready != NULL && json_node_get_value_type (ready) == G_TYPE_BOOLEAN &&
         json_node_get_boolean (ready);
}

/* "tracks": ["H265", "MPEG-4 Audio"] */
static gboolean
is_h265 (JsonObject *item)
{
  JsonNode *node = json_object_get_member (item, "tracks");
  JsonArray *tracks;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  tracks = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (tracks); i++) {
    JsonNode *track = json_array_get_element (tracks, i);

    if (json_node_get_value_type (track) == G_TYPE_STRING &&
        g_str_equal (json_node_get_string (track), "H265"))
      return TRUE;
  }
  return FALSE;
}

/* The objects of "items", without what else may stand there; NULL when the
 * answer is no list, or a page of a longer one, which would seem to miss
 * streams. (transfer full) (nullable) */
static GPtrArray *
parse_items (const char *text, gsize length)
{
  g_autoptr (JsonObject) answer =
      dub_json_object_parse (text, (gssize) length, MAX_ANSWER_BYTES, NULL);
  GPtrArray *items;
  JsonNode *node;
  JsonArray *array;

  node = answer != NULL ? json_object_get_member (answer, "items") : NULL;
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node) ||
      json_object_get_int_member_with_default (answer, "pageCount", 1) > 1)
    return NULL;
  items = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *item = json_array_get_element (array, i);

    if (JSON_NODE_HOLDS_OBJECT (item))
      g_ptr_array_add (items, json_node_dup_object (item));
  }
  return items;
}

GArray *
dub_path_list_parse (const char *text, gsize length)
{
  g_autoptr (GPtrArray) items = parse_items (text, length);
  GArray *streams;

  if (items == NULL)
    return NULL;
  streams = g_array_new (FALSE, FALSE, sizeof (DubPresent));
  g_array_set_clear_func (streams, present_clear);
  for (guint i = 0; i < items->len; i++) {
    JsonObject *item = g_ptr_array_index (items, i);
    DubPresent stream = {0};

    if (is_ready (item))
      stream.stream_id = path_to_id (dub_json_object_get_text (item, "name"));
    stream.is_h265 = is_h265 (item);
    if (stream.stream_id != NULL)
      g_array_append_val (streams, stream);
  }
  return streams;
}

static DubPresent *
find_stream (GArray *streams, const char *id)
{
  for (guint i = 0; id != NULL && i < streams->len; i++) {
    DubPresent *stream = &g_array_index (streams, DubPresent, i);

    if (g_str_equal (stream->stream_id, id))
      return stream;
  }
  return NULL;
}

void
dub_path_list_add_queries (GArray *streams, const char *text, gsize length)
{
  g_autoptr (GPtrArray) items = parse_items (text, length);

  for (guint i = 0; items != NULL && i < items->len; i++) {
    JsonObject *item = g_ptr_array_index (items, i);
    const char *query = dub_json_object_get_text (item, "query");
    g_autofree char *id = path_to_id (dub_json_object_get_text (item, "path"));
    DubPresent *stream = find_stream (streams, id);

    if (stream == NULL || query == NULL ||
        g_strcmp0 (dub_json_object_get_text (item, "state"), "publish") != 0)
      continue;
    g_free (stream->query);
    stream->query = g_strdup (query);
  }
}

static void
take_failure (DubPathList *self, const char *what)
{
  if (!self->is_failing)
    dub_info ("%s cannot be asked for its streams (%s); events alone start "
              "and stop workers until it can",
        self->paths_url, what);
  self->is_failing = TRUE;
}

/* NULL: no good answer; ret_what says why, and is NULL when we are freed. */
static GBytes *
finish (GObject *source, GAsyncResult *result, char **ret_what)
{
  SoupSession *session = SOUP_SESSION (source);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes =
      soup_session_send_and_read_finish (session, result, &error);
  SoupMessage *message =
      soup_session_get_async_result_message (session, result);
  guint status = soup_message_get_status (message);

  *ret_what = NULL;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return NULL;
  if (bytes != NULL && status == SOUP_STATUS_OK)
    return g_steal_pointer (&bytes);
  *ret_what = error != NULL ? g_strdup (error->message)
                            : g_strdup_printf ("status %u", status);
  return NULL;
}

static void
get (DubPathList *self, const char *url, GAsyncReadyCallback on_answer,
    gpointer user_data)
{
  g_autoptr (SoupMessage) message = soup_message_new ("GET", url);

  if (self->authorization != NULL)
    soup_message_headers_replace (soup_message_get_request_headers (message),
        "Authorization", self->authorization);
  soup_session_send_and_read_async (self->session, message, G_PRIORITY_DEFAULT,
      self->cancellable, on_answer, user_data);
}

/* Without queries (RTMP is off there, say) the streams count all the same. */
static void
on_connections (GObject *source, GAsyncResult *result, gpointer user_data)
{
  DubPathList *self = user_data;
  g_autofree char *what = NULL;
  g_autoptr (GBytes) bytes = finish (source, result, &what);

  if (bytes == NULL && what == NULL)
    return;
  if (bytes != NULL)
    dub_path_list_add_queries (self->streams, g_bytes_get_data (bytes, NULL),
        g_bytes_get_size (bytes));
  self->is_asking = FALSE;
  dub_orchestrator_reconcile (self->orchestrator,
      (const DubPresent *) (gpointer) self->streams->data, self->streams->len);
  g_clear_pointer (&self->streams, g_array_unref);
}

static void
on_paths (GObject *source, GAsyncResult *result, gpointer user_data)
{
  DubPathList *self = user_data;
  g_autofree char *what = NULL;
  g_autoptr (GBytes) bytes = finish (source, result, &what);

  if (bytes == NULL && what == NULL)
    return;
  if (bytes != NULL)
    self->streams = dub_path_list_parse (
        g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  if (self->streams == NULL) {
    self->is_asking = FALSE;
    take_failure (
        self, what != NULL ? what : "an answer that is no list of paths");
    return;
  }
  self->is_failing = FALSE;
  get (self, self->connections_url, on_connections, self);
}

/* --- one path, for a worker that is to be started --- */

typedef struct {
  DubPathList *list;
  char *stream_id;
} Look;

static void
on_looked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Look *look = user_data;
  g_autofree char *id = look->stream_id;
  g_autofree char *what = NULL;
  g_autoptr (GBytes) bytes = finish (source, result, &what);
  g_autoptr (JsonObject) item = NULL;

  if (bytes == NULL && what == NULL)
    return;
  if (bytes != NULL)
    item = dub_json_object_parse (g_bytes_get_data (bytes, NULL),
        (gssize) g_bytes_get_size (bytes), MAX_ANSWER_BYTES, NULL);
  dub_orchestrator_looked (look->list->orchestrator, id,
      item != NULL && is_ready (item), item != NULL && is_h265 (item));
}

static void
look_at (const char *stream_id, gpointer user_data)
{
  DubPathList *self = user_data;
  g_autofree char *url = g_strconcat (self->path_url, stream_id, "/in", NULL);
  Look *look = g_new (Look, 1);

  look->list = self;
  look->stream_id = g_strdup (stream_id);
  get (self, url, on_looked, look);
}

static gboolean
ask (gpointer user_data)
{
  DubPathList *self = user_data;

  if (self->is_asking)
    return G_SOURCE_CONTINUE;
  self->is_asking = TRUE;
  get (self, self->paths_url, on_paths, self);
  return G_SOURCE_CONTINUE;
}

/* NULL when it is no URL that can be asked. (transfer full) (nullable) */
static char *
make_url (const DubServiceSettings *settings, const char *path)
{
  g_autofree char *url = g_strdup_printf (
      "%s%s?itemsPerPage=1000", settings->mediamtx_api_url, path);

  if (g_uri_is_valid (url, G_URI_FLAGS_NONE, NULL))
    return g_steal_pointer (&url);
  dub_warning ("MEDIAMTX_API_URL is no valid URL; MediaMTX is not asked");
  return NULL;
}

DubPathList *
dub_path_list_new (
    const DubServiceSettings *settings, DubOrchestrator *orchestrator)
{
  g_autofree char *paths_url = NULL;
  DubPathList *self;

  if (settings->mediamtx_api_url == NULL || settings->reconcile_ms == 0)
    return NULL;
  paths_url = make_url (settings, "/v3/paths/list");
  if (paths_url == NULL)
    return NULL;
  self = g_new0 (DubPathList, 1);
  self->orchestrator = orchestrator;
  /* It stands beside us: no proxy of the environment has part in it. */
  self->session = soup_session_new_with_options (
      "timeout", TIMEOUT_S, "proxy-resolver", NULL, NULL);
  self->cancellable = g_cancellable_new ();
  self->paths_url = g_steal_pointer (&paths_url);
  self->connections_url = make_url (settings, "/v3/rtmpconns/list");
  self->path_url =
      g_strconcat (settings->mediamtx_api_url, "/v3/paths/get/live/", NULL);
  self->authorization = dub_media_api_authorization (settings);
  self->timer_id = g_timeout_add ((guint) settings->reconcile_ms, ask, self);
  ask (self);
  dub_orchestrator_set_look (orchestrator, look_at, self);
  return self;
}

void
dub_path_list_free (DubPathList *self)
{
  if (self == NULL)
    return;
  dub_orchestrator_set_look (self->orchestrator, NULL, NULL);
  g_source_remove (self->timer_id);
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  g_object_unref (self->session);
  g_free (self->paths_url);
  g_free (self->connections_url);
  g_free (self->path_url);
  g_free (self->authorization);
  g_clear_pointer (&self->streams, g_array_unref);
  g_free (self);
}
