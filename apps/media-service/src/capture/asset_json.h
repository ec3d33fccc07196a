/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <media_service/values.h>

/*
 * What is said of a fragment: stt.json, tts.json, timing.json, and of what went
 * wrong: alert.json. Pure; any thread.
 */
G_BEGIN_DECLS

/* What became of a fragment so far. */
typedef struct {
  DubFragment *fragment;
  DubAnswer *answer;           /* (nullable) */
  gint64 sent_us, answered_us; /* Unix time; 0: not yet */
  const char *outcome;         /* "heard", "dropped", "fallback" (nullable) */
  const char *detail;          /* (nullable) */
  gint64 heard_ns;             /* media time at which its dub began; -1 */
} DubFragmentStory;

/* (transfer full) */
GBytes *dub_asset_stt_json (const DubFragmentStory *story);
GBytes *dub_asset_tts_json (const DubFragmentStory *story);
GBytes *dub_asset_timing_json (const DubFragmentStory *story);
/* detail: (nullable) */
GBytes *dub_asset_alert_json (
    const char *kind, const char *detail, gint64 media_ns, gint64 now_us);

G_END_DECLS
