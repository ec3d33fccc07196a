/* SPDX-License-Identifier: Apache-2.0 */
#include "programme.h"

typedef struct {
  const char *text;
  int value;
} Name;

static const Name fallback_names[] = {
    {"pass-through", DUB_FALLBACK_PASS_THROUGH},
    {"ducked-original", DUB_FALLBACK_DUCKED_ORIGINAL},
    {"silence", DUB_FALLBACK_SILENCE},
    /* Speech said again is wrong on air. */
    {"last-good-dub", DUB_FALLBACK_PASS_THROUGH},
};

static const Name loss_names[] = {
    {"hold", DUB_SOURCE_LOSS_HOLD},
    {"silence", DUB_SOURCE_LOSS_SILENCE},
    {"close", DUB_SOURCE_LOSS_CLOSE},
};

static int
find_name (const Name *names, gsize n, const char *text)
{
  for (gsize i = 0; i < n; i++)
    if (g_strcmp0 (names[i].text, text) == 0)
      return names[i].value;
  return 0;
}

gboolean
dub_fallback_mode_parse (const char *text, DubFallbackMode *ret_mode)
{
  int value = find_name (fallback_names, G_N_ELEMENTS (fallback_names), text);

  if (value == 0)
    return FALSE;
  *ret_mode = value;
  return TRUE;
}

gboolean
dub_source_loss_parse (const char *text, DubSourceLoss *ret_loss)
{
  int value = find_name (loss_names, G_N_ELEMENTS (loss_names), text);

  if (value == 0)
    return FALSE;
  *ret_loss = value;
  return TRUE;
}

const char *
dub_programme_event_type_to_string (DubProgrammeEventType type)
{
  static const char *const names[] = {"none", "started", "epoch", "sound_gap",
      "sound_overlap", "video_dropped", "sound_dropped", "segment",
      "fragment_sent", "fallback", "answered", "answer_ignored", "dub_started",
      "dub_heard", "dub_dropped", "hold_begin", "hold_end", "breaker",
      "drained"};

  G_STATIC_ASSERT (G_N_ELEMENTS (names) == DUB_EVENT_DRAINED + 1);
  return type < G_N_ELEMENTS (names) ? names[type] : "none";
}

void
dub_programme_params_init (DubProgrammeParams *params)
{
  *params = (DubProgrammeParams){
      .rate_hz = DUB_PROGRAMME_RATE_HZ,
      .block_frames = 1024,
      .output_delay_ns = 8 * DUB_NS_PER_S,
      .max_dub_lag_ns = 1500 * DUB_NS_PER_MS,
      .mix_mode = DUB_MIX_LOWER,
      .duck_db = -18.0,
      .duck_down_ns = 50 * DUB_NS_PER_MS,
      .duck_up_ns = 300 * DUB_NS_PER_MS,
      .fallback_mode = DUB_FALLBACK_PASS_THROUGH,
      .source_loss = DUB_SOURCE_LOSS_HOLD,
      .segment_mode = DUB_SEGMENT_MODE_SPEECH,
      .pause_ns = 400 * DUB_NS_PER_MS,
      .min_segment_ns = DUB_NS_PER_S,
      .max_segment_ns = 5 * DUB_NS_PER_S,
      .dub_fade_ns = 8 * DUB_NS_PER_MS,
      .segment_bytes = 10 << 20,
      .max_inflight = 3,
      .fragment_timeout_ns = 8 * DUB_NS_PER_S,
  };
}

gint64
dub_programme_max_segment_ns (const DubProgrammeParams *params)
{
  if (params->output_delay_ns < DUB_PROGRAMME_MIN_DUB_DELAY_NS)
    return 0;
  return MIN (
      params->max_segment_ns, params->output_delay_ns - 3 * DUB_NS_PER_S);
}
