/* SPDX-License-Identifier: Apache-2.0 */
#include "asset_json.h"

#include "json_fields.h"

#include <string.h>

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

  dub_json_add_text (json, "id", story->fragment->id);
  dub_json_add_text (json, "status", status_of (story));
  dub_json_add_text (json, "transcript", story->answer->transcript);
  return end (json);
}

GBytes *
dub_asset_tts_json (const DubFragmentStory *story)
{
  JsonBuilder *json = begin ();

  dub_json_add_text (json, "id", story->fragment->id);
  dub_json_add_text (json, "status", status_of (story));
  dub_json_add_text (json, "translatedText", story->answer->translated_text);
  if (story->answer->pcm)
    dub_json_add_int (json, "dubbedMs",
        dub_pcm_duration_ns (story->answer->pcm) / DUB_NS_PER_MS);
  return end (json);
}

GBytes *
dub_asset_timing_json (const DubFragmentStory *story)
{
  const DubFragment *fragment = story->fragment;
  gint64 duration_ns = dub_pcm_duration_ns (fragment->pcm);
  JsonBuilder *json = begin ();

  dub_json_add_text (json, "id", fragment->id);
  dub_json_add_int (json, "seq", (gint64) fragment->number);
  dub_json_add_int (json, "ptsNs", fragment->pcm->pts_ns);
  dub_json_add_int (json, "durationMs", duration_ns / DUB_NS_PER_MS);
  dub_json_add_int (json, "roomMs", fragment->room_ns / DUB_NS_PER_MS);
  dub_json_add_text (json, "cut", dub_cut_reason_to_string (fragment->reason));
  dub_json_add_text (json, "status", status_of (story));
  if (story->answer)
    dub_json_add_text (json, "errorCode", story->answer->error_code);
  dub_json_add_time (json, "sentAt", story->sent_us);
  dub_json_add_time (json, "answeredAt", story->answered_us);
  if (story->sent_us > 0 && story->answered_us > 0)
    dub_json_add_int (
        json, "roundTripMs", (story->answered_us - story->sent_us) / 1000);
  dub_json_add_text (json, "outcome", story->outcome);
  dub_json_add_text (json, "detail", story->detail);
  if (story->heard_ns >= 0)
    dub_json_add_int (json, "heardPtsNs", story->heard_ns);
  return end (json);
}

GBytes *
dub_asset_alert_json (
    const char *kind, const char *detail, gint64 media_ns, gint64 now_us)
{
  JsonBuilder *json = begin ();

  dub_json_add_text (json, "kind", kind);
  dub_json_add_time (json, "at", now_us);
  dub_json_add_int (json, "mediaNs", media_ns);
  dub_json_add_text (json, "detail", detail);
  return end (json);
}
