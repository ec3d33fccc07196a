/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "settings.h"

#include <dubbing_common/metrics.h>
#include <sts_service/processor.h>

/*
 * Debug artifacts: what went into a fragment and what came out, as files for
 * people to look at and listen to.
 *
 *   <dir>/<stream_id>/<fragment_id>/
 *     original_audio.m4a|wav|aac   as it came
 *     transcript.txt, translation.txt
 *     dubbed_audio.m4a|wav         as it went
 *     metadata.json                status, times, engines, what failed
 *
 * A folder appears whole or not at all. Names from the network are made safe
 * first. The oldest go when there are too many, too large or too old; only
 * files with these names are ever removed. Off unless it is asked for, since
 * the files hold what was said; only their owner can read them.
 *
 * Writing is a thread's: a slow or full disk costs artifacts (counted in
 * sts_artifacts_dropped_total), never a fragment. Main thread only, but for
 * the inside.
 */
G_BEGIN_DECLS

typedef struct _DubArtifacts DubArtifacts;

/* options is copied. metrics: (nullable). */
DubArtifacts *dub_artifacts_new (
    const DubArtifactsOptions *options, DubMetrics *metrics);
/* Waits for what is being written, for two seconds at most per file. */
void dub_artifacts_free (DubArtifacts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubArtifacts, dub_artifacts_free)

/* job, result: (transfer none). Never blocks. */
void dub_artifacts_put (
    DubArtifacts *self, const DubJob *job, const DubResult *result);

/* inner with its fragments kept. inner and artifacts (transfer full). */
DubProcessor *dub_artifacts_processor_new (
    DubProcessor *inner, DubArtifacts *artifacts);

/* A name that stays in its folder: letters, digits, ".", "_" and "-", no dot
 * in front, and short; what had to be changed gets its hash behind, so that
 * two never become one. (transfer full) */
char *dub_artifacts_safe_name (const char *name);

G_END_DECLS
