/* SPDX-License-Identifier: Apache-2.0 */
#include "level_detector.h"

#include <dubbing_common/clock.h>
#include <math.h>
#include <string.h>

#define MAX_CHANNELS 8
#define LOWEST_DB (-100.0)
#define FULL_SCALE 32768.0

struct _DubLevelDetector {
  double threshold_db;
  gint64 interval_ns;
  DubLevelMarkFunc on_mark;
  gpointer user_data;
  gint64 first_frame;         /* of the interval that is being filled */
  gint64 frames;              /* in it */
  double power[MAX_CHANNELS]; /* sums of squares */
};

DubLevelDetector *
dub_level_detector_new (double threshold_db, gint64 interval_ns,
    DubLevelMarkFunc on_mark, gpointer user_data)
{
  DubLevelDetector *self = g_new0 (DubLevelDetector, 1);

  self->threshold_db = threshold_db;
  self->interval_ns = interval_ns;
  self->on_mark = on_mark;
  self->user_data = user_data;
  return self;
}

void
dub_level_detector_free (DubLevelDetector *self)
{
  g_free (self);
}

static double
loudest (const DubLevelDetector *self)
{
  double power = 0;

  for (guint c = 0; c < MAX_CHANNELS; c++)
    power = MAX (power, self->power[c]);
  return power;
}

static void
end_interval (DubLevelDetector *self)
{
  double power = loudest (self);
  double rms = self->frames > 0 ? sqrt (power / (double) self->frames) : 0;
  double level_db =
      CLAMP (rms > 0 ? 20 * log10 (rms / FULL_SCALE) : LOWEST_DB, LOWEST_DB, 0);
  gboolean is_speech = power > 0 && level_db >= self->threshold_db;

  if (self->frames > 0)
    self->on_mark (
        self->first_frame, self->frames, is_speech, level_db, self->user_data);
  self->first_frame += self->frames;
  self->frames = 0;
  memset (self->power, 0, sizeof self->power);
}

static void
take (DubLevelDetector *self, const gint16 *frame, guint channels)
{
  for (guint c = 0; c < MIN (channels, MAX_CHANNELS); c++)
    self->power[c] += (double) frame[c] * frame[c];
  self->frames++;
}

void
dub_level_detector_push (
    DubLevelDetector *self, DubPcm *pcm, gint64 first_frame)
{
  gint64 interval = dub_ns_to_frames (self->interval_ns, pcm->rate_hz);

  if (first_frame != self->first_frame + self->frames) {
    end_interval (self);
    self->first_frame = first_frame;
  }
  for (gsize i = 0; i < pcm->frames; i++) {
    take (self, pcm->samples + i * pcm->channels, pcm->channels);
    if (self->frames >= interval)
      end_interval (self);
  }
  dub_pcm_unref (pcm);
}
