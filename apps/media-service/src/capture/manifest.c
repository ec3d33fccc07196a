/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest.h"

#include "json_fields.h"

#include <string.h>

#define SCHEMA_VERSION "1.0"
#define MAX_ALERTS 256

typedef struct {
  gint64 at_us;
  char *scope, *message, *asset_path;
} Error;

struct _DubManifest {
  char *stream_id, *run_id, *instance_id, *in, *out, *mode;
  gint64 delay_ms;
  gboolean has_media;
  gint64 created_us;
  GPtrArray *fragments; /* oldest first */
  GPtrArray *alerts;    /* of DubManifestAsset */
  GQueue errors;        /* of Error */
  GHashTable *counters; /* name -> gint64 * */
};

static const char *const status_names[] = {
    "none", "received", "processing", "processed", "failed"};

static void
asset_free (gpointer data)
{
  DubManifestAsset *asset = data;

  g_free (asset->kind);
  g_free (asset->path);
  g_free (asset->sha256);
  g_free (asset);
}

static void
fragment_free (gpointer data)
{
  DubManifestFragment *fragment = data;

  g_ptr_array_unref (fragment->assets);
  g_free (fragment->id);
  g_free (fragment);
}

static void
error_free (gpointer data)
{
  Error *error = data;

  g_free (error->scope);
  g_free (error->message);
  g_free (error->asset_path);
  g_free (error);
}

DubManifest *
dub_manifest_new (const DubManifestHead *head)
{
  DubManifest *self = g_new0 (DubManifest, 1);

  self->stream_id = g_strdup (head->stream_id);
  self->run_id = g_strdup (head->run_id);
  self->instance_id = g_strdup (head->instance_id);
  self->in = g_strdup (head->in);
  self->out = g_strdup (head->out);
  self->mode = g_strdup (head->mode);
  self->delay_ms = head->delay_ms;
  self->has_media = head->has_media;
  self->created_us = head->now_us;
  self->fragments = g_ptr_array_new_with_free_func (fragment_free);
  self->alerts = g_ptr_array_new_with_free_func (asset_free);
  g_queue_init (&self->errors);
  self->counters =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
dub_manifest_free (DubManifest *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->fragments);
  g_ptr_array_unref (self->alerts);
  g_queue_clear_full (&self->errors, error_free);
  g_hash_table_unref (self->counters);
  g_free (self->stream_id);
  g_free (self->run_id);
  g_free (self->instance_id);
  g_free (self->in);
  g_free (self->out);
  g_free (self->mode);
  g_free (self);
}

const char *
dub_manifest_get_run_id (const DubManifest *self)
{
  return self->run_id;
}

void
dub_manifest_set_created (DubManifest *self, gint64 created_us)
{
  self->created_us = created_us;
}

/* -- what is in it ------------------------------------------------------- */

DubManifestFragment *
dub_manifest_open_fragment (
    DubManifest *self, guint64 number, gint64 start_ms, gint64 end_ms)
{
  g_autofree char *id = g_strdup_printf (
      "%06" G_GUINT64_FORMAT "-%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT, number,
      start_ms, end_ms);
  DubManifestFragment *fragment;

  for (guint i = self->fragments->len; i-- > 0;) {
    fragment = g_ptr_array_index (self->fragments, i);
    if (g_str_equal (fragment->id, id))
      return fragment;
  }
  fragment = g_new0 (DubManifestFragment, 1);
  fragment->id = g_steal_pointer (&id);
  fragment->number = number;
  fragment->start_ms = start_ms;
  fragment->end_ms = end_ms;
  fragment->status = DUB_MANIFEST_RECEIVED;
  fragment->latency = DUB_MANIFEST_NO_LATENCY;
  fragment->assets = g_ptr_array_new_with_free_func (asset_free);
  g_ptr_array_add (self->fragments, fragment);
  return fragment;
}

guint
dub_manifest_get_n_fragments (const DubManifest *self)
{
  return self->fragments->len;
}

DubManifestFragment *
dub_manifest_get_fragment (const DubManifest *self, guint at)
{
  return g_ptr_array_index (self->fragments, at);
}

void
dub_manifest_remove_fragment (DubManifest *self, guint at)
{
  g_ptr_array_remove_index (self->fragments, at);
}

static void
note (GPtrArray *assets, const DubManifestAsset *from)
{
  DubManifestAsset *asset;

  for (guint i = 0; i < assets->len; i++) {
    asset = g_ptr_array_index (assets, i);
    if (g_str_equal (asset->path, from->path)) {
      g_ptr_array_remove_index (assets, i);
      break;
    }
  }
  asset = g_new0 (DubManifestAsset, 1);
  asset->kind = g_strdup (from->kind);
  asset->path = g_strdup (from->path);
  asset->sha256 = g_strdup (from->sha256);
  asset->bytes = from->bytes;
  asset->written_us = from->written_us;
  g_ptr_array_add (assets, asset);
}

void
dub_manifest_note_asset (
    DubManifestFragment *fragment, const DubManifestAsset *asset)
{
  note (fragment->assets, asset);
}

char *
dub_manifest_note_alert (DubManifest *self, const DubManifestAsset *asset)
{
  char *gone;

  note (self->alerts, asset);
  if (self->alerts->len <= MAX_ALERTS)
    return NULL;
  gone = g_strdup (
      ((DubManifestAsset *) g_ptr_array_index (self->alerts, 0))->path);
  g_ptr_array_remove_index (self->alerts, 0);
  return gone;
}

static guint64
bytes_of (const GPtrArray *assets)
{
  guint64 bytes = 0;

  for (guint i = 0; i < assets->len; i++)
    bytes += ((DubManifestAsset *) g_ptr_array_index (assets, i))->bytes;
  return bytes;
}

guint64
dub_manifest_get_bytes (const DubManifest *self)
{
  guint64 bytes = bytes_of (self->alerts);

  for (guint i = 0; i < self->fragments->len; i++)
    bytes += bytes_of (dub_manifest_get_fragment (self, i)->assets);
  return bytes;
}

void
dub_manifest_count (DubManifest *self, const char *name, gint64 by)
{
  gint64 *count = g_hash_table_lookup (self->counters, name);

  if (!count) {
    count = g_new0 (gint64, 1);
    g_hash_table_insert (self->counters, g_strdup (name), count);
  }
  *count += by;
}

void
dub_manifest_add_error (DubManifest *self, gint64 now_us, const char *scope,
    const char *message, const char *asset_path)
{
  Error *error = g_new0 (Error, 1);

  error->at_us = now_us;
  error->scope = g_strdup (scope);
  error->message = g_utf8_make_valid (message, -1);
  error->asset_path = g_strdup (asset_path);
  g_queue_push_tail (&self->errors, error);
  if (self->errors.length > DUB_MANIFEST_MAX_ERRORS)
    error_free (g_queue_pop_head (&self->errors));
}

/* -- to JSON ------------------------------------------------------------- */

static void
begin (JsonBuilder *json, const char *name)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
}

static void
add_assets (JsonBuilder *json, const char *name, const GPtrArray *assets)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_array (json);
  for (guint i = 0; i < assets->len; i++) {
    const DubManifestAsset *asset = g_ptr_array_index (assets, i);

    json_builder_begin_object (json);
    dub_json_add_text (json, "kind", asset->kind);
    dub_json_add_text (json, "path", asset->path);
    dub_json_add_int (json, "bytes", (gint64) asset->bytes);
    dub_json_add_text (json, "sha256", asset->sha256);
    dub_json_add_time (json, "writtenAt", asset->written_us);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
add_latency (JsonBuilder *json, const DubManifestLatency *latency)
{
  const struct {
    const char *name;
    gint64 ms;
  } times[] = {
      {"sttMs", latency->stt_ms},
      {"translateMs", latency->translate_ms},
      {"ttsMs", latency->tts_ms},
      {"totalMs", latency->total_ms},
  };

  if (latency->total_ms < 0)
    return;
  begin (json, "latency");
  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    if (times[i].ms >= 0)
      dub_json_add_int (json, times[i].name, times[i].ms);
  json_builder_end_object (json);
}

static void
add_fragment (JsonBuilder *json, const DubManifestFragment *fragment)
{
  json_builder_begin_object (json);
  dub_json_add_text (json, "fragmentId", fragment->id);
  dub_json_add_int (json, "seq", (gint64) fragment->number);
  begin (json, "time");
  dub_json_add_int (json, "startMs", fragment->start_ms);
  dub_json_add_int (json, "endMs", fragment->end_ms);
  json_builder_end_object (json);
  dub_json_add_text (json, "status", status_names[fragment->status]);
  add_latency (json, &fragment->latency);
  add_assets (json, "assets", fragment->assets);
  json_builder_end_object (json);
}

static void
add_head (JsonBuilder *json, const DubManifest *self, gint64 now_us)
{
  dub_json_add_text (json, "schemaVersion", SCHEMA_VERSION);
  dub_json_add_text (json, "streamId", self->stream_id);
  dub_json_add_text (json, "runId", self->run_id);
  dub_json_add_text (json, "instanceId", self->instance_id);
  dub_json_add_time (json, "createdAt", self->created_us);
  dub_json_add_time (json, "updatedAt", now_us);
  begin (json, "streamPaths");
  dub_json_add_text (json, "in", self->in);
  dub_json_add_text (json, "out", self->out);
  json_builder_end_object (json);
  begin (json, "pipeline");
  begin (json, "pcm");
  dub_json_add_int (json, "sampleRateHz", 48000);
  dub_json_add_int (json, "channels", 1);
  dub_json_add_text (json, "format", "s16le");
  json_builder_end_object (json);
  json_builder_set_member_name (json, "bufferingTargetSec");
  json_builder_add_double_value (json, (double) self->delay_ms / 1000);
  dub_json_add_text (json, "videoMode", "copy");
  json_builder_end_object (json);
  begin (json, "capture");
  dub_json_add_text (json, "mode", self->mode);
  json_builder_set_member_name (json, "mediaEnabled");
  json_builder_add_boolean_value (json, self->has_media);
  json_builder_end_object (json);
}

static void
add_counters (JsonBuilder *json, const DubManifest *self)
{
  g_autoptr (GList) names = g_list_sort (
      g_hash_table_get_keys (self->counters), (GCompareFunc) strcmp);

  begin (json, "counters");
  for (GList *l = names; l; l = l->next)
    dub_json_add_int (json, l->data,
        *(gint64 *) g_hash_table_lookup (self->counters, l->data));
  json_builder_end_object (json);
}

static void
add_errors (JsonBuilder *json, const DubManifest *self)
{
  json_builder_set_member_name (json, "errors");
  json_builder_begin_array (json);
  for (GList *l = self->errors.head; l; l = l->next) {
    const Error *error = l->data;

    json_builder_begin_object (json);
    dub_json_add_time (json, "at", error->at_us);
    dub_json_add_text (json, "scope", error->scope);
    dub_json_add_text (json, "message", error->message);
    dub_json_add_text (json, "assetPath", error->asset_path);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

GBytes *
dub_manifest_to_json (DubManifest *self, gint64 now_us)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  char *text;

  json_builder_begin_object (json);
  add_head (json, self, now_us);
  json_builder_set_member_name (json, "fragments");
  json_builder_begin_array (json);
  for (guint i = 0; i < self->fragments->len; i++)
    add_fragment (json, dub_manifest_get_fragment (self, i));
  json_builder_end_array (json);
  add_assets (json, "alerts", self->alerts);
  add_counters (json, self);
  add_errors (json, self);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  text = json_to_string (root, TRUE);
  return g_bytes_new_take (text, strlen (text));
}
