/* SPDX-License-Identifier: Apache-2.0 */
#include "speech.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_PER_S 100
#define FLOOR_DB (-100.0)

/* Speech stands out of what is around it by this much. */
#define ABOVE_QUIET_DB 8.0
/* Its soft sounds are at most this much below its loud ones. */
#define BELOW_LOUD_DB 26.0
#define MIN_SPEECH_DB (-58.0)
/* A click is not an onset: 3 steps of 5. */
#define RUN 5
#define RUN_NEEDED 3

#define TRIM_BELOW_PEAK_DB 42.0
#define TRIM_BEFORE_STEPS 1
#define TRIM_AFTER_STEPS 3

/* The end of a word is looked for in the last 600 ms. */
#define WORD_STEPS 60

double
dub_speech_level_db (const float *samples, gsize count)
{
  double sum = 0;

  for (gsize i = 0; i < count; i++)
    sum += (double) samples[i] * samples[i];
  if (count == 0 || sum <= 0)
    return FLOOR_DB;
  return MAX (FLOOR_DB, 10 * log10 (sum / count));
}

/* One level per step. (transfer full) */
static double *
levels_of (const float *samples, gsize count, gsize step, gsize *ret_n)
{
  gsize n = count / step;
  double *levels = g_new (double, n + 1);

  for (gsize i = 0; i < n; i++)
    levels[i] = dub_speech_level_db (samples + i * step, step);
  *ret_n = n;
  return levels;
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
threshold_of (const double *levels, gsize n)
{
  g_autofree double *sorted = g_memdup2 (levels, n * sizeof (double));
  double quiet, loud, threshold;

  qsort (sorted, n, sizeof (double), compare_doubles);
  quiet = sorted[n / 10];
  loud = sorted[n - 1 - n / 10];
  threshold = MAX (loud - BELOW_LOUD_DB, MIN_SPEECH_DB);
  /* Above the room, or half-way out of the music beneath; but when all is one
   * level, all of it is speech. */
  if (loud - quiet > ABOVE_QUIET_DB)
    threshold =
        MAX (threshold, quiet + MIN (ABOVE_QUIET_DB, (loud - quiet) / 2));
  return threshold;
}

static gboolean
is_run (const double *levels, gsize n, gsize at, double threshold)
{
  guint above = 0;

  if (levels[at] < threshold)
    return FALSE;
  for (gsize i = at; i < MIN (at + RUN, n); i++)
    above += levels[i] >= threshold;
  return above >= RUN_NEEDED;
}

DubSpan
dub_speech_find (const float *samples, gsize count, guint rate_hz)
{
  gsize step = rate_hz / STEPS_PER_S, n = 0, first = 0, last;
  g_autofree double *levels = levels_of (samples, count, step, &n);
  double threshold;

  if (n == 0)
    return (DubSpan){0, 0};
  threshold = threshold_of (levels, n);
  while (first < n && !is_run (levels, n, first, threshold))
    first++;
  if (first == n)
    return (DubSpan){0, 0};
  last = n;
  while (last > first + 1 && levels[last - 1] < threshold)
    last--;
  return (DubSpan){first * step, last == n ? count : last * step};
}

DubSpan
dub_speech_trim (const float *samples, gsize count, guint rate_hz)
{
  gsize step = rate_hz / STEPS_PER_S, n = 0, first = 0, last;
  g_autofree double *levels = levels_of (samples, count, step, &n);
  double peak = FLOOR_DB, threshold;

  for (gsize i = 0; i < n; i++)
    peak = MAX (peak, levels[i]);
  threshold = MAX (peak - TRIM_BELOW_PEAK_DB, FLOOR_DB + 1);
  while (first < n && levels[first] < threshold)
    first++;
  if (first == n)
    return (DubSpan){0, 0};
  last = n;
  while (last > first + 1 && levels[last - 1] < threshold)
    last--;
  first -= MIN (first, TRIM_BEFORE_STEPS);
  last += TRIM_AFTER_STEPS;
  return (DubSpan){first * step, MIN (last * step, count)};
}

gsize
dub_speech_word_end (
    const float *samples, gsize count, gsize limit, guint rate_hz)
{
  gsize step = rate_hz / STEPS_PER_S;
  gsize best = limit;
  double best_level = 1;

  if (count <= limit)
    return count;
  for (gsize i = 0; i < WORD_STEPS && (i + 1) * step * 2 <= limit; i++) {
    gsize at = limit - (i + 1) * step;
    /* Every step back costs sound, so it has to be worth it. */
    double level = dub_speech_level_db (samples + at, step) + 0.25 * i;
    if (level < best_level) {
      best_level = level;
      best = at + step / 2;
    }
  }
  return best;
}
