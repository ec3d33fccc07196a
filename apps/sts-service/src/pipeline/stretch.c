/* SPDX-License-Identifier: Apache-2.0 */
#include "stretch.h"

#include <dubbing_common/error.h>
#include <string.h>

#define BLOCK 4096

#ifdef HAVE_RUBBERBAND
#include <rubberband/rubberband-c.h>

const char *
dub_stretch_name (void)
{
  return "rubberband";
}

static void
study (RubberBandState state, const float *samples, gsize count)
{
  for (gsize at = 0; at < count; at += BLOCK) {
    gsize n = MIN (BLOCK, count - at);
    const float *block = samples + at;
    rubberband_study (state, &block, (unsigned int) n, at + n == count);
  }
}

static void
retrieve (RubberBandState state, GArray *out)
{
  int available;

  while ((available = rubberband_available (state)) > 0) {
    guint old = out->len;
    float *to = NULL;
    unsigned int n;

    g_array_set_size (out, old + (guint) available);
    to = &g_array_index (out, float, old);
    n = rubberband_retrieve (state, &to, (unsigned int) available);
    g_array_set_size (out, old + n);
    if (n == 0)
      break;
  }
}

static GArray *
stretch (const float *samples, gsize count, guint rate_hz, double speed)
{
  RubberBandOptions options =
      RubberBandOptionProcessOffline | RubberBandOptionThreadingNever |
      RubberBandOptionFormantPreserved | RubberBandOptionTransientsMixed |
      RubberBandOptionWindowShort | RubberBandOptionPitchHighQuality;
  RubberBandState state = rubberband_new (rate_hz, 1, options, 1 / speed, 1);
  GArray *out = g_array_new (FALSE, FALSE, sizeof (float));

  rubberband_set_expected_input_duration (state, (unsigned int) count);
  rubberband_set_max_process_size (state, BLOCK);
  study (state, samples, count);
  for (gsize at = 0; at < count; at += BLOCK) {
    gsize n = MIN (BLOCK, count - at);
    const float *block = samples + at;
    rubberband_process (state, &block, (unsigned int) n, at + n == count);
    retrieve (state, out);
  }
  rubberband_delete (state);
  return out;
}

#elif defined(HAVE_SONIC)
#include <sonic.h>

const char *
dub_stretch_name (void)
{
  return "sonic";
}

static void
retrieve (sonicStream stream, GArray *out)
{
  float block[BLOCK];
  int n;

  while ((n = sonicReadFloatFromStream (stream, block, BLOCK)) > 0)
    g_array_append_vals (out, block, (guint) n);
}

static GArray *
stretch (const float *samples, gsize count, guint rate_hz, double speed)
{
  sonicStream stream = sonicCreateStream ((int) rate_hz, 1);
  GArray *out = g_array_new (FALSE, FALSE, sizeof (float));

  sonicSetSpeed (stream, (float) speed);
  for (gsize at = 0; at < count; at += BLOCK) {
    /* Its interface has no const, and it does not write there. */
    sonicWriteFloatToStream (
        stream, (float *) samples + at, (int) MIN (BLOCK, count - at));
    retrieve (stream, out);
  }
  sonicFlushStream (stream);
  retrieve (stream, out);
  sonicDestroyStream (stream);
  return out;
}

#else

const char *
dub_stretch_name (void)
{
  return "none";
}

#endif

GArray *
dub_stretch (const float *samples, gsize count, guint rate_hz, double speed,
    GError **error)
{
  g_return_val_if_fail (speed >= 0.5 && speed <= 2, NULL);
#if defined(HAVE_RUBBERBAND) || defined(HAVE_SONIC)
  return stretch (samples, count, rate_hz, speed);
#else
  g_set_error_literal (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "this build cannot stretch speech (librubberband or libsonic)");
  return NULL;
#endif
}
