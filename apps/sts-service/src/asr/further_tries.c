/* SPDX-License-Identifier: Apache-2.0 */
#include "further_tries.h"

/*
 * 50 positions of the encoder are a second of sound. Cut to what the segment
 * needs, recognition is five times faster than with the full 1500.
 *
 * Always whole steps of 256: whisper.cpp's flash attention looks at keys and
 * values up to the next multiple of 256, and what lies there beyond the context
 * is of an earlier segment. With other lengths the same sound was heard
 * differently from one time to the next, and 1 of 8 segments of real speech
 * came out as something never said (docs/internals/speech.md).
 */
#define CTX_PER_S 50
#define CTX_MARGIN 64 /* with 6 it looped */
/* Further tries may end within this share of the time that was given, in
 * tenths: 1.5 s of the 5 s of a live fragment. */
#define SHARE_TENTHS 3
#define PATIENT_TENTHS 6
#define FURTHER_TRIES 2

static int
context_for (guint duration_ms)
{
  gint64 needed = ((gint64) duration_ms * CTX_PER_S + 999) / 1000 + CTX_MARGIN;
  gint64 steps = (needed + DUB_TRIES_CTX_STEP - 1) / DUB_TRIES_CTX_STEP;

  return (int) MIN (steps * DUB_TRIES_CTX_STEP, DUB_TRIES_CTX_MAX);
}

void
dub_tries_start (
    DubTries *self, guint duration_ms, gint64 now_ns, gint64 deadline_ns)
{
  int first_ctx = context_for (duration_ms);

  *self = (DubTries){.first_ctx = first_ctx,
      .start_ns = now_ns,
      .deadline_ns = deadline_ns,
      .audio_ctx = first_ctx,
      .try_start_ns = now_ns};
}

/* What a larger context may mend. */
static gboolean
is_worth_it (DubGuardVerdict verdict)
{
  return verdict == DUB_GUARD_LOW_CONFIDENCE ||
         verdict == DUB_GUARD_REPETITION || verdict == DUB_GUARD_TOO_DENSE ||
         verdict == DUB_GUARD_STOCK_PHRASE;
}

/* The last is what the model was made for. */
static int
context_of_next (const DubTries *self)
{
  return self->further + 1 < FURTHER_TRIES
             ? MIN (self->first_ctx + DUB_TRIES_CTX_STEP, DUB_TRIES_CTX_MAX)
             : DUB_TRIES_CTX_MAX;
}

/* How long a try takes grows with its context. */
static gboolean
has_time_for (const DubTries *self, int audio_ctx, gint64 now_ns)
{
  gint64 given_ns = self->deadline_ns - self->start_ns;
  gint64 took_ns = now_ns - self->try_start_ns;
  gint64 needed_ns = took_ns * audio_ctx / self->audio_ctx;
  int tenths = given_ns < DUB_TRIES_PATIENT_NS ? SHARE_TENTHS : PATIENT_TENTHS;

  return now_ns - self->start_ns + needed_ns < given_ns / 10 * tenths;
}

gboolean
dub_tries_next (DubTries *self, DubGuardVerdict verdict, gint64 now_ns)
{
  int audio_ctx = context_of_next (self);

  if (!is_worth_it (verdict) || self->further >= FURTHER_TRIES ||
      audio_ctx == self->audio_ctx || !has_time_for (self, audio_ctx, now_ns))
    return FALSE;
  self->further++;
  self->audio_ctx = audio_ctx;
  self->try_start_ns = now_ns;
  return TRUE;
}
