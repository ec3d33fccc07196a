/* SPDX-License-Identifier: Apache-2.0 */
#include "programme_rig.h"

#include <string.h>

#define PICTURE_NS (40 * RIG_MS)
#define SHOWN_AFTER_NS (80 * RIG_MS)
#define BLOCK 1000
#define WINDOW RIG_WINDOW

static void
on_video (DubAccessUnit *unit, gpointer user_data)
{
  Rig *rig = user_data;
  RigPicture picture = {.pts_ns = unit->pts_ns,
      .dts_ns = unit->dts_ns,
      .left_ns = rig->now_ns,
      .is_key = unit->is_key,
      .has_config = unit->codec_data != NULL};

  memcpy (&picture.number, g_bytes_get_data (unit->data, NULL), 8);
  g_array_append_val (rig->pictures, picture);
  dub_access_unit_unref (unit);
}

static void
on_sound (DubPcm *pcm, gpointer user_data)
{
  Rig *rig = user_data;
  gint64 first = dub_ns_to_frames (pcm->pts_ns, pcm->rate_hz);

  g_assert_cmpuint (pcm->channels, ==, 2);
  if (rig->sound->len == 0)
    rig->sound_first = first;
  g_assert_cmpint (first, ==, rig->sound_first + rig->sound->len / 2);
  g_array_append_vals (rig->sound, pcm->samples, pcm->frames * 2);
  rig->sound_left_ns = rig->now_ns;
  dub_pcm_unref (pcm);
}

static void
on_heard (DubPcm *pcm, gint64 first_frame, gpointer user_data)
{
  Rig *rig = user_data;

  g_assert_cmpint (first_frame, >=, rig->heard_end);
  rig->heard_end = first_frame + (gint64) pcm->frames;
  dub_pcm_unref (pcm);
}

static void
on_fragment (DubFragment *fragment, gpointer user_data)
{
  g_ptr_array_add (((Rig *) user_data)->fragments, fragment);
}

static void
on_event (const DubProgrammeEvent *event, gpointer user_data)
{
  RigEvent copy = {event->type, event->media_ns, event->duration_ns,
      event->lag_ns, g_strdup (event->detail)};

  g_array_append_val (((Rig *) user_data)->events, copy);
}

static void
clear_event (gpointer data)
{
  g_free (((RigEvent *) data)->detail);
}

Rig *
rig_new (const DubProgrammeParams *params)
{
  static const DubProgrammeSinks sinks = {
      on_video, on_sound, on_heard, on_fragment, on_event};
  Rig *rig = g_new0 (Rig, 1);
  DubProgrammeParams defaults;

  dub_programme_params_init (&defaults);
  rig->programme =
      dub_programme_new (params != NULL ? params : &defaults, &sinks, rig);
  rig->now_ns = RIG_START;
  rig->next_run_ns = G_MAXINT64;
  rig->base_ns = 3600 * RIG_S;
  rig->config = "config";
  rig->pictures = g_array_new (FALSE, FALSE, sizeof (RigPicture));
  rig->sound = g_array_new (FALSE, FALSE, sizeof (gint16));
  rig->fragments =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_fragment_unref);
  rig->events = g_array_new (FALSE, FALSE, sizeof (RigEvent));
  g_array_set_clear_func (rig->events, clear_event);
  return rig;
}

void
rig_free (Rig *rig)
{
  dub_programme_free (rig->programme);
  g_array_unref (rig->pictures);
  g_array_unref (rig->sound);
  g_ptr_array_unref (rig->fragments);
  g_array_unref (rig->events);
  g_free (rig);
}

static void
run (Rig *rig)
{
  rig->next_run_ns = dub_programme_run (rig->programme, rig->now_ns);
  g_assert_cmpint (rig->next_run_ns, >, rig->now_ns);
}

/* Wakes the programme when it asked for it, up to a time. */
static void
advance (Rig *rig, gint64 to_ns)
{
  while (rig->next_run_ns <= to_ns) {
    rig->now_ns = rig->next_run_ns;
    run (rig);
  }
  rig->now_ns = to_ns;
}

static gint64
source_ns (const Rig *rig, gint64 ns)
{
  if (!rig->is_rtmp)
    return rig->base_ns + ns;
  return (gint64) (guint32) ((rig->base_ns + ns) / RIG_MS) * RIG_MS;
}

static DubAccessUnit *
make_picture (const Rig *rig)
{
  guint64 number = rig->picture;
  gboolean is_key = number % 25 == 0;
  gint64 dts_ns = rig->picture * PICTURE_NS;

  return dub_access_unit_new (DUB_VIDEO_CODEC_H264, g_bytes_new (&number, 8),
      is_key ? g_bytes_new (rig->config, strlen (rig->config)) : NULL,
      source_ns (rig, dts_ns + SHOWN_AFTER_NS),
      rig->has_no_dts ? DUB_TIME_NONE : source_ns (rig, dts_ns), is_key);
}

static DubPcm *
make_sound (const Rig *rig)
{
  gint16 *samples = g_new0 (gint16, BLOCK * 2);

  for (int i = 0; i < BLOCK; i++)
    samples[2 * i] = (gint16) (1 + (rig->frame + i) % RIG_CYCLE);
  return dub_pcm_new (g_bytes_new_take (samples, BLOCK * 4), RIG_RATE, 2,
      source_ns (rig, dub_frames_to_ns (rig->frame, RIG_RATE)));
}

static gint64
jitter (const Rig *rig)
{
  if (rig->jitter_ns == 0)
    return 0;
  return g_test_rand_int_range (0, (gint32) (rig->jitter_ns / RIG_MS)) * RIG_MS;
}

/* Sends all up to source time to_ns; each at its time when in_time. */
static void
send (Rig *rig, gint64 to_ns, gboolean in_time)
{
  gint64 shift = rig->now_ns - rig->sent_ns;

  for (;;) {
    gint64 picture_ns = rig->picture * PICTURE_NS;
    gint64 sound_ns = dub_frames_to_ns (rig->frame, RIG_RATE);
    gint64 next_ns = MIN (picture_ns, sound_ns);

    if (next_ns >= to_ns)
      break;
    if (in_time)
      advance (rig, MAX (rig->now_ns, shift + next_ns + jitter (rig)));
    if (picture_ns <= sound_ns) {
      if (!rig->is_blind)
        dub_programme_push_video (
            rig->programme, make_picture (rig), rig->now_ns);
      rig->picture++;
    } else {
      if (!rig->is_mute)
        dub_programme_push_sound (
            rig->programme, make_sound (rig), rig->now_ns);
      rig->frame += BLOCK;
    }
    run (rig);
  }
  rig->sent_ns = to_ns;
  if (in_time)
    advance (rig, MAX (rig->now_ns, shift + to_ns));
}

void
rig_play (Rig *rig, gint64 ns)
{
  send (rig, rig->sent_ns + ns, TRUE);
}

void
rig_burst (Rig *rig, gint64 ns)
{
  send (rig, rig->sent_ns + ns, FALSE);
}

void
rig_idle (Rig *rig, gint64 ns)
{
  advance (rig, rig->now_ns + ns);
}

void
rig_jump (Rig *rig, gint64 ns)
{
  rig->base_ns += ns;
}

void
rig_reconnect (Rig *rig, gint64 base_ns)
{
  dub_programme_source_reset (rig->programme, rig->now_ns);
  rig->base_ns = base_ns - rig->sent_ns;
}

void
rig_speak (Rig *rig, gint64 from_frame, gint64 to_frame, gboolean is_speech)
{
  gint64 at = (from_frame + WINDOW - 1) / WINDOW * WINDOW;

  for (; at < to_frame; at += WINDOW)
    dub_programme_push_mark (
        rig->programme, at, WINDOW, is_speech, -20, rig->now_ns);
  run (rig);
}

void
rig_answer (Rig *rig, guint i, gsize frames, gint16 value)
{
  DubFragment *fragment = g_ptr_array_index (rig->fragments, i);
  DubAnswer *answer = dub_answer_new (fragment->id, DUB_ANSWER_SUCCESS);
  gint16 *samples = g_new (gint16, frames);

  for (gsize k = 0; k < frames; k++)
    samples[k] = value;
  answer->pcm =
      dub_pcm_new (g_bytes_new_take (samples, frames * 2), RIG_RATE, 1, 0);
  dub_programme_push_answer (rig->programme, answer, rig->now_ns);
  run (rig);
}

guint
rig_count (const Rig *rig, DubProgrammeEventType type)
{
  guint n = 0;

  for (guint i = 0; i < rig->events->len; i++)
    n += g_array_index (rig->events, RigEvent, i).type == type;
  return n;
}

const RigEvent *
rig_event (const Rig *rig, DubProgrammeEventType type, guint i)
{
  for (guint k = 0; k < rig->events->len; k++) {
    const RigEvent *event = &g_array_index (rig->events, RigEvent, k);

    if (event->type == type && i-- == 0)
      return event;
  }
  g_assert_not_reached ();
}

gint16
rig_left (const Rig *rig, gint64 frame)
{
  gint64 at = (frame - rig->sound_first) * 2;

  g_assert_cmpint (at, >=, 0);
  g_assert_cmpint (at, <, rig->sound->len);
  return g_array_index (rig->sound, gint16, at);
}

DubProgrammeStats
rig_stats (const Rig *rig)
{
  DubProgrammeStats stats;

  dub_programme_get_stats (rig->programme, &stats);
  return stats;
}

void
rig_check_video (const Rig *rig)
{
  const RigPicture *last = NULL;

  for (guint i = 0; i < rig->pictures->len; i++) {
    const RigPicture *picture = &g_array_index (rig->pictures, RigPicture, i);

    g_assert_cmpint (picture->dts_ns, <=, picture->pts_ns);
    g_assert_cmpint (picture->dts_ns, >=, 0);
    if (last == NULL) {
      g_assert_true (picture->is_key);
      g_assert_true (picture->has_config);
    } else {
      g_assert_cmpint (picture->dts_ns, >, last->dts_ns);
      if (picture->number != last->number + 1)
        g_assert_true (picture->is_key);
    }
    last = picture;
  }
}

void
rig_check_sound (const Rig *rig, gint64 from, gint64 to, gint64 shift)
{
  for (gint64 at = from; at < to; at++)
    if (rig_left (rig, at) != 1 + (at + shift) % RIG_CYCLE)
      g_error ("frame %" G_GINT64_FORMAT ": %d", at, rig_left (rig, at));
}

void
rig_check_silence (const Rig *rig, gint64 from, gint64 to)
{
  for (gint64 at = from; at < to; at++)
    if (rig_left (rig, at) != 0)
      g_error ("frame %" G_GINT64_FORMAT ": %d", at, rig_left (rig, at));
}

/* The last pictures of an epoch are shown after its last dts, where the sound
 * of the next begins; which may come before its first key frame, with a gap. */
static gboolean
is_at_epoch (const Rig *rig, gint64 media_ns)
{
  for (guint i = 0; i < rig->events->len; i++) {
    const RigEvent *event = &g_array_index (rig->events, RigEvent, i);

    if ((event->type == DUB_EVENT_EPOCH ||
            event->type == DUB_EVENT_SOUND_GAP) &&
        ABS (event->media_ns - media_ns) < 2 * SHOWN_AFTER_NS)
      return TRUE;
  }
  return FALSE;
}

guint
rig_check_sync (const Rig *rig)
{
  guint64 newest = 0;
  guint n = 0;

  for (guint i = 0; i < rig->pictures->len; i++) {
    const RigPicture *picture = &g_array_index (rig->pictures, RigPicture, i);
    gint64 at = dub_ns_to_frames (picture->pts_ns, RIG_RATE);
    gint64 expected = dub_ns_to_frames (
        (gint64) picture->number * PICTURE_NS + SHOWN_AFTER_NS, RIG_RATE);
    gint64 left, off;
    gboolean is_repeated = i > 0 && picture->number <= newest;

    newest = MAX (newest, picture->number);
    if (is_repeated || at >= rig->sound_first + rig->sound->len / 2 ||
        is_at_epoch (rig, picture->pts_ns))
      continue;
    left = rig_left (rig, at);
    if (left == 0)
      continue;
    off = (left - 1 - expected) % RIG_CYCLE;
    if (off > RIG_CYCLE / 2)
      off -= RIG_CYCLE;
    if (off < -RIG_CYCLE / 2)
      off += RIG_CYCLE;
    if (ABS (off) > RIG_RATE / 100)
      g_error ("picture %" G_GUINT64_FORMAT " at %" G_GINT64_FORMAT
               " ns: its sound is %" G_GINT64_FORMAT " frames off",
          picture->number, picture->pts_ns, off);
    n++;
  }
  return n;
}

void
rig_add_tests (const char *prefix, const RigTest *tests, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    g_autofree char *path = g_strconcat (prefix, tests[i].name, NULL);

    g_test_add_func (path, tests[i].func);
  }
}
