/* SPDX-License-Identifier: Apache-2.0 */
#include "hook_event.h"

#include "../control/json_text.h"
#include "../orchestrator/stream_settings.h"

#include <dubbing_common/error.h>
#include <string.h>

#define MAX_SOURCE_BYTES 128
#define MAX_QUERY_BYTES 4096

typedef struct {
  const char *name, *other_name;
  gsize max_bytes;
  gboolean is_required;
} Field;

static gboolean
fail (const char *name, const char *what, GError **error)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "%s: %s", name, what);
  return FALSE;
}

/* An optional one that is null counts as missing. */
static gboolean
take_field (JsonObject *body, const Field *field, char **ret_text,
    const char **ret_field, GError **error)
{
  JsonNode *node = json_object_get_member (body, field->name);
  const char *text;

  *ret_field = field->name;
  if (node == NULL && field->other_name != NULL)
    node = json_object_get_member (body, field->other_name);
  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return !field->is_required || fail (field->name, "is missing", error);
  if (json_node_get_value_type (node) != G_TYPE_STRING)
    return fail (field->name, "must be a string", error);
  text = json_node_get_string (node);
  if (strlen (text) > field->max_bytes)
    return fail (field->name, "is too long", error);
  if (*text != '\0')
    *ret_text = g_strdup (text);
  return TRUE;
}

/* ^live/[a-zA-Z0-9_-]+/(in|out)$ */
static gboolean
split_path (DubHookEvent *self)
{
  g_auto (GStrv) parts = g_strsplit (self->path, "/", 4);

  if (g_strv_length (parts) != 3 || !g_str_equal (parts[0], "live") ||
      !dub_stream_id_is_valid (parts[1]))
    return FALSE;
  if (g_str_equal (parts[2], "in"))
    self->direction = DUB_HOOK_IN;
  else if (g_str_equal (parts[2], "out"))
    self->direction = DUB_HOOK_OUT;
  else
    return FALSE;
  self->stream_id = g_strdup (parts[1]);
  return TRUE;
}

static gboolean
take_path (DubHookEvent *self, JsonObject *body, const char **ret_field,
    GError **error)
{
  static const Field field = {"path", NULL, 256, TRUE};

  if (!take_field (body, &field, &self->path, ret_field, error))
    return FALSE;
  if (self->path != NULL && split_path (self))
    return TRUE;
  return fail ("path",
      "must match ^live/[a-zA-Z0-9_-]+/(in|out)$, the id "
      "at most 64 long",
      error);
}

DubHookEvent *
dub_hook_event_parse (const char *text, gsize length, gboolean needs_source,
    const char **ret_field, GError **error)
{
  const Field type = {
      "sourceType", "source_type", MAX_SOURCE_BYTES, needs_source};
  const Field id = {"sourceId", "source_id", MAX_SOURCE_BYTES, needs_source};
  const Field query = {"query", NULL, MAX_QUERY_BYTES, FALSE};
  g_autoptr (DubHookEvent) self = g_new0 (DubHookEvent, 1);
  g_autoptr (JsonObject) body = NULL;

  *ret_field = NULL;
  body =
      dub_json_object_parse (text, (gssize) length, DUB_HOOK_MAX_BYTES, error);
  if (body == NULL || !take_path (self, body, ret_field, error) ||
      !take_field (body, &type, &self->source_type, ret_field, error) ||
      !take_field (body, &id, &self->source_id, ret_field, error) ||
      !take_field (body, &query, &self->query, ret_field, error))
    return NULL;
  if (needs_source && self->source_type == NULL) {
    *ret_field = type.name;
    fail (type.name, "is empty", error);
    return NULL;
  }
  return g_steal_pointer (&self);
}

void
dub_hook_event_free (DubHookEvent *event)
{
  if (event == NULL)
    return;
  g_free (event->path);
  g_free (event->stream_id);
  g_free (event->source_type);
  g_free (event->source_id);
  g_free (event->query);
  g_free (event);
}
