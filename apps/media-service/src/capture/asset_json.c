/* SPDX-License-Identifier: Apache-2.0 */
#include "asset_json.h"

#include <json-glib/json-glib.h>
#include <string.h>

static void
add_text (JsonBuilder *json, const char *name, const char *value)
{
  g_autofree char *valid = value ? g_utf8_make_valid (value, -1) : NULL;

  if (!value)
    return;
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, valid);
}

static void
add_int (JsonBuilder *json, const char *name, gint64 value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, value);
}

static void
add_time (JsonBuilder *json, const char *name, gint64 us)
{
  g_autoptr (GDateTime) seconds =
      g_date_time_new_from_unix_utc (us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) time = g_date_time_add (seconds, us % G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format_iso8601 (time);

  if (us > 0)
    add_text (json, name, text);
}

static JsonBuilder *
begin (void)
{
  JsonBuilder *json = json_builder_new ();

  json_builder_begin_object (json);
  return json;
}

/* Takes the builder. (transfer full) */
static GBytes *
end (JsonBuilder *json)
{
  g_autoptr (JsonNode) root = NULL;
  char *text;

  json_builder_end_object (json);
  root = json_builder_get_root (json);
  text = json_to_string (root, TRUE);
  g_object_unref (json);
  return g_bytes_new_take (text, strlen (text));
}

static const char *
status_of (const DubFragmentStory *story)
{
  static const char *const names[] = {"none", "success", "partial", "failed"};

  return story->answer ? names[story->answer->status] : "received";
}

GBytes *
dub_asset_stt_json (const DubFragmentStory *story)
{
  JsonBuilder *json = begin ();

  add_text (json, "id", story->fragment->id);
  add_text (json, "status", status_of (story));
  add_text (json, "transcript", story->answer->transcript);
  return end (json);
}

GBytes *
dub_asset_tts_json (const DubFragmentStory *story)
{
  JsonBuilder *json = begin ();

  add_text (json, "id", story->fragment->id);
  add_text (json, "status", status_of (story));
  add_text (json, "translatedText", story->answer->translated_text);
  if (story->answer->pcm)
    add_int (json, "dubbedMs",
        dub_pcm_duration_ns (story->answer->pcm) / DUB_NS_PER_MS);
  return end (json);
}

GBytes *
dub_asset_timing_json (const DubFragmentStory *story)
{
  const DubFragment *fragment = story->fragment;
  gint64 duration_ns = dub_pcm_duration_ns (fragment->pcm);
  JsonBuilder *json = begin ();

  add_text (json, "id", fragment->id);
  add_int (json, "seq", (gint64) fragment->number);
  add_int (json, "ptsNs", fragment->pcm->pts_ns);
  add_int (json, "durationMs", duration_ns / DUB_NS_PER_MS);
  add_int (json, "roomMs", fragment->room_ns / DUB_NS_PER_MS);
  add_text (json, "cut", dub_cut_reason_to_string (fragment->reason));
  add_text (json, "status", status_of (story));
  if (story->answer)
    add_text (json, "errorCode", story->answer->error_code);
  add_time (json, "sentAt", story->sent_us);
  add_time (json, "answeredAt", story->answered_us);
  if (story->sent_us > 0 && story->answered_us > 0)
    add_int (json, "roundTripMs", (story->answered_us - story->sent_us) / 1000);
  add_text (json, "outcome", story->outcome);
  add_text (json, "detail", story->detail);
  if (story->heard_ns >= 0)
    add_int (json, "heardPtsNs", story->heard_ns);
  return end (json);
}

GBytes *
dub_asset_alert_json (
    const char *kind, const char *detail, gint64 media_ns, gint64 now_us)
{
  JsonBuilder *json = begin ();

  add_text (json, "kind", kind);
  add_time (json, "at", now_us);
  add_int (json, "mediaNs", media_ns);
  add_text (json, "detail", detail);
  return end (json);
}
