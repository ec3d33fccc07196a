/* SPDX-License-Identifier: Apache-2.0 */
#include "fit.h"

/* Below this nobody hears a stretch, and leaving it out leaves no artefact. */
#define STRETCH_WORTH 0.01
/* A slot that is all onset still has room for a word. */
#define MIN_SPACE_MS 100.0

void
dub_fit_limits_init (DubFitLimits *limits)
{
  *limits = (DubFitLimits){
      .max_rate = 1.25,
      .max_stretch = 1.3,
      .success_percent = 10,
      .partial_percent = 20,
  };
}

static double
space_ms (const DubFitSlot *slot)
{
  return MAX (slot->slot_ms - slot->onset_ms, MIN_SPACE_MS);
}

double
dub_fit_rate (
    const DubFitSlot *slot, const DubFitLimits *limits, double natural_ms)
{
  return CLAMP (natural_ms / space_ms (slot), 1, limits->max_rate);
}

static DubFitTier
tier_of (const DubFitLimits *limits, double over_percent)
{
  if (over_percent <= limits->success_percent)
    return DUB_FIT_SUCCESS;
  return over_percent <= limits->partial_percent ? DUB_FIT_PARTIAL
                                                 : DUB_FIT_TOO_LONG;
}

DubFitPlan
dub_fit_plan (
    const DubFitSlot *slot, const DubFitLimits *limits, double speech_ms)
{
  double space = space_ms (slot), whole = space + slot->room_ms;
  DubFitPlan plan = {.stretch = speech_ms / space};

  /* Speech that is short is not slowed: it would gain nothing but drawl. */
  plan.stretch = CLAMP (plan.stretch, 1, limits->max_stretch);
  if (plan.stretch < 1 + STRETCH_WORTH)
    plan.stretch = 1;
  plan.stretched_ms = speech_ms / plan.stretch;
  plan.keep_ms = MIN (plan.stretched_ms, whole);
  plan.over_percent = MAX (0, (plan.stretched_ms - whole) / whole * 100);
  plan.tier = tier_of (limits, plan.over_percent);
  return plan;
}
