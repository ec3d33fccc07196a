/* SPDX-License-Identifier: Apache-2.0 */
#include <media_service/values.h>

DubAccessUnit *
dub_access_unit_new (DubVideoCodec codec, GBytes *data, GBytes *codec_data,
    gint64 pts_ns, gint64 dts_ns, gboolean is_key)
{
  DubAccessUnit *unit = g_new0 (DubAccessUnit, 1);

  g_atomic_ref_count_init (&unit->ref_count);
  unit->codec = codec;
  unit->data = data;
  unit->codec_data = codec_data;
  unit->pts_ns = pts_ns;
  unit->dts_ns = dts_ns;
  unit->is_key = is_key;
  return unit;
}

DubAccessUnit *
dub_access_unit_retimed (
    const DubAccessUnit *unit, gint64 pts_ns, gint64 dts_ns)
{
  DubAccessUnit *copy =
      dub_access_unit_new (unit->codec, g_bytes_ref (unit->data),
          unit->codec_data ? g_bytes_ref (unit->codec_data) : NULL, pts_ns,
          dts_ns, unit->is_key);

  copy->duration_ns = unit->duration_ns;
  copy->width = unit->width;
  copy->height = unit->height;
  return copy;
}

DubAccessUnit *
dub_access_unit_ref (DubAccessUnit *unit)
{
  g_atomic_ref_count_inc (&unit->ref_count);
  return unit;
}

void
dub_access_unit_unref (DubAccessUnit *unit)
{
  if (unit == NULL || !g_atomic_ref_count_dec (&unit->ref_count))
    return;
  g_clear_pointer (&unit->data, g_bytes_unref);
  g_clear_pointer (&unit->codec_data, g_bytes_unref);
  g_free (unit);
}

const char *
dub_cut_reason_to_string (DubCutReason reason)
{
  switch (reason) {
    case DUB_CUT_NONE:
      return "none";
    case DUB_CUT_SILENCE:
      return "silence";
    case DUB_CUT_MAX_DURATION:
      return "max_duration";
    case DUB_CUT_MEMORY_LIMIT:
      return "memory_limit";
    case DUB_CUT_EOS:
      return "eos";
  }
  return "none";
}

DubFragment *
dub_fragment_new (guint64 number, DubPcm *pcm, DubCutReason reason,
    gint64 deadline_ns, gint64 room_ns)
{
  DubFragment *fragment = g_new0 (DubFragment, 1);

  g_atomic_ref_count_init (&fragment->ref_count);
  fragment->id = g_uuid_string_random ();
  fragment->number = number;
  fragment->pcm = pcm;
  fragment->reason = reason;
  fragment->deadline_ns = deadline_ns;
  fragment->room_ns = room_ns;
  return fragment;
}

DubFragment *
dub_fragment_ref (DubFragment *fragment)
{
  g_atomic_ref_count_inc (&fragment->ref_count);
  return fragment;
}

void
dub_fragment_unref (DubFragment *fragment)
{
  if (fragment == NULL || !g_atomic_ref_count_dec (&fragment->ref_count))
    return;
  g_clear_pointer (&fragment->pcm, dub_pcm_unref);
  g_free (fragment->id);
  g_free (fragment);
}

DubAnswer *
dub_answer_new (const char *fragment_id, DubAnswerStatus status)
{
  DubAnswer *answer = g_new0 (DubAnswer, 1);

  g_atomic_ref_count_init (&answer->ref_count);
  answer->fragment_id = g_strdup (fragment_id);
  answer->status = status;
  answer->times = (DubStageTimes){-1, -1, -1};
  return answer;
}

DubAnswer *
dub_answer_ref (DubAnswer *answer)
{
  g_atomic_ref_count_inc (&answer->ref_count);
  return answer;
}

void
dub_answer_unref (DubAnswer *answer)
{
  if (answer == NULL || !g_atomic_ref_count_dec (&answer->ref_count))
    return;
  g_clear_pointer (&answer->pcm, dub_pcm_unref);
  g_free (answer->fragment_id);
  g_free (answer->transcript);
  g_free (answer->translated_text);
  g_free (answer->error_code);
  g_free (answer->error_message);
  g_free (answer);
}
