/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include <dubbing_common/error.h>
#include <json-glib/json-glib.h>
#include <string.h>

/* Ours has 5 levels; json-glib calls itself once for each. */
#define MAX_DEPTH 16

static gboolean
is_flat (const char *text, gsize size)
{
  guint depth = 0;
  gboolean is_in_string = FALSE;

  for (gsize i = 0; i < size; i++) {
    if (is_in_string && text[i] == '\\')
      i++;
    else if (text[i] == '"')
      is_in_string = !is_in_string;
    else if (!is_in_string && (text[i] == '{' || text[i] == '['))
      depth++;
    else if (!is_in_string && (text[i] == '}' || text[i] == ']') && depth > 0)
      depth--;
    if (depth > MAX_DEPTH)
      return FALSE;
  }
  return TRUE;
}

static const char *
text_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node && JSON_NODE_HOLDS_VALUE (node) &&
                 json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static gint64
int_of (JsonObject *object, const char *name, gint64 otherwise)
{
  JsonNode *node = object ? json_object_get_member (object, name) : NULL;

  return node && JSON_NODE_HOLDS_VALUE (node) &&
                 json_node_get_value_type (node) == G_TYPE_INT64
             ? json_node_get_int (node)
             : otherwise;
}

static JsonObject *
object_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node)
                                               : NULL;
}

/* (transfer container): its objects */
static GList *
objects_of (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);
  GList *all = NULL;
  GList *objects = NULL;

  if (node && JSON_NODE_HOLDS_ARRAY (node))
    all = json_array_get_elements (json_node_get_array (node));
  for (GList *l = all; l; l = l->next)
    if (JSON_NODE_HOLDS_OBJECT ((JsonNode *) l->data))
      objects = g_list_prepend (objects, json_node_get_object (l->data));
  g_list_free (all);
  return g_list_reverse (objects);
}

static gint64
time_of (JsonObject *object, const char *name)
{
  const char *text = text_of (object, name);
  g_autoptr (GDateTime) time =
      text ? g_date_time_new_from_iso8601 (text, NULL) : NULL;

  return time ? g_date_time_to_unix (time) * G_USEC_PER_SEC +
                    g_date_time_get_microsecond (time)
              : 0;
}

/* What stands in it is opened and removed: nothing outside of assets/. */
static gboolean
is_own_path (const char *path)
{
  return path && g_str_has_prefix (path, "assets/") && !strstr (path, "..");
}

static gboolean
read_asset (JsonObject *object, DubManifestAsset *ret_asset)
{
  *ret_asset = (DubManifestAsset){
      .kind = (char *) text_of (object, "kind"),
      .path = (char *) text_of (object, "path"),
      .sha256 = (char *) text_of (object, "sha256"),
      .bytes = (guint64) MAX (int_of (object, "bytes", 0), 0),
      .written_us = time_of (object, "writtenAt"),
  };
  return ret_asset->kind && ret_asset->sha256 && is_own_path (ret_asset->path);
}

static DubManifestStatus
status_of (JsonObject *object)
{
  static const char *const names[] = {
      "none", "received", "processing", "processed", "failed"};
  const char *text = text_of (object, "status");

  for (guint i = DUB_MANIFEST_RECEIVED; i < G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (text, names[i]) == 0)
      return (DubManifestStatus) i;
  return DUB_MANIFEST_RECEIVED;
}

static void
take_fragment (DubManifest *self, JsonObject *object)
{
  JsonObject *time = object_of (object, "time");
  JsonObject *latency = object_of (object, "latency");
  g_autoptr (GList) assets = objects_of (object, "assets");
  gint64 number = int_of (object, "seq", -1);
  DubManifestFragment *fragment;

  if (number < 0 || !time)
    return;
  fragment = dub_manifest_open_fragment (self, (guint64) number,
      int_of (time, "startMs", 0), int_of (time, "endMs", 0));
  fragment->status = status_of (object);
  fragment->latency = (DubManifestLatency){
      .stt_ms = int_of (latency, "sttMs", -1),
      .translate_ms = int_of (latency, "translateMs", -1),
      .tts_ms = int_of (latency, "ttsMs", -1),
      .total_ms = int_of (latency, "totalMs", -1),
  };
  for (GList *l = assets; l; l = l->next) {
    DubManifestAsset asset;

    if (read_asset (l->data, &asset))
      dub_manifest_note_asset (fragment, &asset);
  }
}

static void
take_rest (DubManifest *self, JsonObject *root)
{
  g_autoptr (GList) alerts = objects_of (root, "alerts");
  g_autoptr (GList) errors = objects_of (root, "errors");
  JsonObject *counters = object_of (root, "counters");
  g_autoptr (GList) names =
      counters ? json_object_get_members (counters) : NULL;

  for (GList *l = alerts; l; l = l->next) {
    DubManifestAsset asset;

    if (read_asset (l->data, &asset))
      g_free (dub_manifest_note_alert (self, &asset));
  }
  for (GList *l = errors; l; l = l->next)
    if (text_of (l->data, "scope") && text_of (l->data, "message"))
      dub_manifest_add_error (self, time_of (l->data, "at"),
          text_of (l->data, "scope"), text_of (l->data, "message"),
          text_of (l->data, "assetPath"));
  for (GList *l = names; l; l = l->next)
    dub_manifest_count (self, l->data, int_of (counters, l->data, 0));
}

static gboolean
refuse (GError **error, const char *why)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "manifest.json: %s", why);
  return FALSE;
}

gboolean
dub_manifest_load (
    DubManifest *self, const char *text, gsize size, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GList) fragments = NULL;
  JsonNode *root;
  JsonObject *object;

  if (size > DUB_MANIFEST_MAX_BYTES)
    return refuse (error, "larger than 16 MiB");
  if (!is_flat (text, size))
    return refuse (error, "nested too deep");
  if (!json_parser_load_from_data (parser, text, (gssize) size, NULL) ||
      !(root = json_parser_get_root (parser)) || !JSON_NODE_HOLDS_OBJECT (root))
    return refuse (error, "no JSON object");
  object = json_node_get_object (root);
  if (g_strcmp0 (text_of (object, "runId"), dub_manifest_get_run_id (self)) !=
      0)
    return refuse (error, "of another run");
  dub_manifest_set_created (self, time_of (object, "createdAt"));
  fragments = objects_of (object, "fragments");
  for (GList *l = fragments; l; l = l->next)
    if (dub_manifest_get_n_fragments (self) < DUB_MANIFEST_MAX_FRAGMENTS)
      take_fragment (self, l->data);
  take_rest (self, object);
  return TRUE;
}
