/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "guards.h"

/*
 * Whether a segment is heard once more, and with how much context.
 *
 * What the guards stopped as unsure, looping, too dense or a stock phrase may
 * come out right when the encoder looks at more; where there was no speech,
 * another try is another chance for an invention. On a busy machine a try costs
 * the fragments that wait behind it, so each must be thought to end within a
 * share of the time that was given.
 *
 * A try's length is a number of the encoder's positions, 50 for a second.
 * A value on its user's stack, with no time but what it is told; any thread.
 */
G_BEGIN_DECLS

#define DUB_TRIES_CTX_STEP 256
#define DUB_TRIES_CTX_MAX 1500
/* Who gives as long as nobody does live has a file, where nothing waits. */
#define DUB_TRIES_PATIENT_NS (G_GINT64_CONSTANT (12) * 1000000000)

typedef struct {
  int first_ctx;
  gint64 start_ns, deadline_ns;
  guint further;       /* tries after the first */
  int audio_ctx;       /* of the try that runs, or ran last */
  gint64 try_start_ns; /* when that one began */
} DubTries;

/* The first try of a segment of so long a time: self->audio_ctx is its
 * context. deadline_ns: G_MAXINT64 for none. */
void dub_tries_start (
    DubTries *self, guint duration_ms, gint64 now_ns, gint64 deadline_ns);

/* The try that ran has ended. TRUE: another one is worth it, with
 * self->audio_ctx. verdict: of the first. */
gboolean dub_tries_next (
    DubTries *self, DubGuardVerdict verdict, gint64 now_ns);

G_END_DECLS
