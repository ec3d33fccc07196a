/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * How speech of one length is brought into a slot of another. In this order:
 *
 *   1. the synthesiser is asked to speak faster (dub_fit_rate);
 *   2. the sound is stretched, pitch and formants kept;
 *   3. it may reach into the pause that follows the slot;
 *   4. it is cut at the end of a word.
 *
 * What is too long even then decides what the result is called. What is too
 * short is a success: it begins where the original speech began, and the rest
 * of the slot stays as it was.
 *
 * All lengths in milliseconds. Pure; any thread.
 */
G_BEGIN_DECLS

typedef struct {
  double slot_ms;  /* the segment */
  double onset_ms; /* where in it the speech begins; the dub begins there */
  double room_ms;  /* the pause known to follow it */
} DubFitSlot;

typedef struct {
  double max_rate;        /* 1.25: of the synthesiser */
  double max_stretch;     /* 1.3 */
  double success_percent; /* 10 */
  double partial_percent; /* 20 */
} DubFitLimits;
void dub_fit_limits_init (DubFitLimits *limits);

typedef enum {
  DUB_FIT_NONE = 0,
  DUB_FIT_SUCCESS,
  DUB_FIT_PARTIAL,
  DUB_FIT_TOO_LONG, /* not to be used: the original plays */
} DubFitTier;

/* What rate to ask for, when speech at rate 1 takes natural_ms: 1 when it
 * fits, at most max_rate. */
double dub_fit_rate (
    const DubFitSlot *slot, const DubFitLimits *limits, double natural_ms);

typedef struct {
  DubFitTier tier;
  double stretch; /* speed: 1.2 makes 1200 ms into 1000 */
  double stretched_ms;
  double keep_ms;      /* at most this much of it; the rest is cut */
  double over_percent; /* too long for slot and room */
} DubFitPlan;

/* For speech of speech_ms, as it was synthesised. */
DubFitPlan dub_fit_plan (
    const DubFitSlot *slot, const DubFitLimits *limits, double speech_ms);

G_END_DECLS
