/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "settings.h"

#include <dubbing_common/pcm.h>

/*
 * What an engine costs on this machine: it is loaded the way the service loads
 * it (a child with its model), given a short clip, text or sentence twice, and
 * ended again. Others that use the machine meanwhile show in the figures.
 *
 * Main thread; runs the default main context until done.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_STAGE_NONE = 0,
  DUB_STAGE_RECOGNITION,
  DUB_STAGE_TRANSLATION,
  DUB_STAGE_SYNTHESIS,
} DubStage;
const char *dub_stage_to_string (DubStage stage);

/* One engine with one model, voice or pair of languages. */
typedef struct {
  DubStage stage;
  const char *provider;
  const char *model;     /* file or folder in the models' (of Apertium the
                          * modes') folder; NULL: none */
  const char *languages; /* "en es", or "*"; of a translator: "en-es" */
  const char *bring;     /* what brings it; of a server, what names it */
  const char *about;     /* what is to be known before (nullable) */
  gboolean translates;   /* a recogniser, into English in the same pass */
  gboolean is_remote;    /* a server: it costs this machine nothing */
} DubCandidate;

typedef struct {
  double load_s;
  double rtf; /* seconds of work per second of speech */
  double memory_mib;
} DubCost;

/* Is it in this build, and its model on this machine? Else why not. */
gboolean dub_candidate_is_installed (const DubCandidate *candidate,
    const DubPipelineSettings *settings, GError **error);

/* clip: mono at DUB_ASR_RATE_HZ, a few seconds of speech. */
gboolean dub_candidate_measure (const DubCandidate *candidate,
    const DubPipelineSettings *settings, DubPcm *clip, DubCost *ret_cost,
    GError **error);

G_END_DECLS
