/* SPDX-License-Identifier: Apache-2.0 */
#include "programme_rig.h"
#include "sts/circuit_breaker.h"

#include <math.h>

#define MS RIG_MS
#define S RIG_S
#define RATE ((gint64) RIG_RATE)
#define DELAY (8 * S)

/* ---- without speech ---- */

static void
check_pass_through (gboolean has_no_dts)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  gint64 first_ns = has_no_dts ? S : 0; /* media time of picture 0 */

  rig->has_no_dts = has_no_dts;
  rig_play (rig, 60 * S);
  rig_check_video (rig);
  g_assert_cmpint (rig->pictures->len, >=, 51 * 25);
  for (guint i = 0; i < rig->pictures->len; i++) {
    const RigPicture *picture = &g_array_index (rig->pictures, RigPicture, i);
    gint64 dts_ns = i * 40 * MS + first_ns;

    g_assert_cmpuint (picture->number, ==, i);
    g_assert_cmpint (
        picture->left_ns, ==, RIG_START + picture->dts_ns - first_ns + DELAY);
    g_assert_cmpint (picture->dts_ns, ==, dts_ns);
    g_assert_cmpint (picture->pts_ns, ==, dts_ns + (has_no_dts ? 0 : 80 * MS));
    g_assert_cmpint (picture->has_config, ==, i == 0);
  }
  /* The sound of picture 0's dts is frame 0, so its pts decides. */
  if (has_no_dts)
    rig_check_sound (rig, RATE, 50 * RATE, -RATE + RATE * 80 / 1000);
  else
    rig_check_sound (rig, 0, 50 * RATE, 0);
  g_assert_cmpint (rig_stats (rig).sound_resampled_frames, ==, 0);
}

static void
test_passes_through (void)
{
  check_pass_through (FALSE);
  check_pass_through (TRUE);
}

static void
test_sound_leaves_ahead_by_the_lead (void)
{
  DubProgrammeParams params;
  g_autoptr (Rig) rig = NULL;
  gint64 frames;

  dub_programme_params_init (&params);
  params.lead_ns = 150 * MS;
  rig = rig_new (&params);
  rig_play (rig, 20 * S);
  frames = rig->sound->len / 2 - params.block_frames;
  g_assert_cmpint (rig->sound_left_ns, ==,
      RIG_START + DELAY - 150 * MS + dub_frames_to_ns (frames, RIG_RATE));
  rig_check_sound (rig, 0, 11 * RATE, 0);
}

static void
test_waits_for_a_key_frame (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig->picture = 7; /* 18 pictures before the next key frame */
  rig->frame = 7 * 1920;
  rig->sent_ns = 280 * MS;
  rig_play (rig, 30 * S);
  rig_check_video (rig);
  g_assert_cmpuint (
      g_array_index (rig->pictures, RigPicture, 0).number, ==, 25);
  g_assert_cmpint (
      g_array_index (rig->pictures, RigPicture, 0).pts_ns, ==, 80 * MS);
  g_assert_cmpint (rig_stats (rig).video_dropped_invalid, ==, 18);
  rig_check_sound (rig, 0, 20 * RATE, RATE); /* media 0: source 1 s */
  /* Its sound before that is told once, not for each packet. */
  g_assert_cmpuint (rig_count (rig, DUB_EVENT_SOUND_OVERLAP), ==, 1);
  g_assert_cmpint (rig_stats (rig).sound_overlaps, ==, 1);
}

static void
test_sound_that_comes_first_is_kept (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig->is_blind = TRUE;
  rig->picture = 0;
  rig_play (rig, 500 * MS);
  rig->is_blind = FALSE;
  rig->picture = 0; /* the picture of 0 comes after its sound */
  rig_play (rig, 20 * S);
  rig_check_sound (rig, 0, 11 * RATE, 0);
}

/* ---- with dubs ---- */

/* The first window of speech at or after 3 s, less 200 ms. */
#define SLOT_FIRST (94 * RIG_WINDOW - RATE / 5)

/* Speech of [3 s, 6 s) is found within the next second. */
static Rig *
rig_with_fragment (const DubProgrammeParams *params)
{
  Rig *rig = rig_new (params);

  dub_programme_set_sts (rig->programme, DUB_STS_READY, 0, 0, rig->now_ns);
  rig_play (rig, 7 * S);
  rig_speak (rig, 0, 3 * RATE, FALSE);
  rig_speak (rig, 3 * RATE, 6 * RATE, TRUE);
  rig_speak (rig, 6 * RATE, 7 * RATE - RIG_WINDOW, FALSE);
  g_assert_cmpuint (rig->fragments->len, ==, 1);
  return rig;
}

static void
test_fragment_is_what_was_said (void)
{
  g_autoptr (Rig) rig = rig_with_fragment (NULL);
  const DubFragment *fragment = g_ptr_array_index (rig->fragments, 0);
  gint64 first = dub_ns_to_frames (fragment->pcm->pts_ns, RIG_RATE);

  g_assert_cmpuint (fragment->pcm->channels, ==, 1);
  g_assert_cmpuint (fragment->pcm->rate_hz, ==, RIG_RATE);
  g_assert_cmpint (first, ==, SLOT_FIRST);
  g_assert_cmpint (first + (gint64) fragment->pcm->frames, >=, 6 * RATE);
  for (gsize i = 0; i < fragment->pcm->frames; i++) {
    gint64 left = 1 + (first + (gint64) i) % RIG_CYCLE;

    /* mono: the mean of left and right (0) */
    g_assert_cmpint (ABS (2 * fragment->pcm->samples[i] - left), <=, 1);
  }
  g_assert_cmpint (fragment->deadline_ns, ==,
      RIG_START + fragment->pcm->pts_ns + DELAY + 1500 * MS -
          dub_frames_to_ns (1024, RIG_RATE));
  g_assert_cmpint (fragment->room_ns, >, 300 * MS);
  g_assert_cmpint (rig_count (rig, DUB_EVENT_SEGMENT), ==, 1);
  g_assert_cmpint (rig_count (rig, DUB_EVENT_FRAGMENT_SENT), ==, 1);
}

/* Its first and last 8 ms rise and fall. */
static double
dub_gain (gint64 frame, gint64 frames)
{
  gint64 fade = RATE * 8 / 1000;
  gint64 edge = MIN (frame, frames - 1 - frame);

  if (edge < 0)
    return 0;
  return edge < fade ? (double) (edge + 1) / (double) (fade + 1) : 1;
}

/* The dub is heard whole from from on; the original is untouched up to there
 * and 300 ms after duck_end. */
static void
check_dub (const Rig *rig, gint64 from, gint64 frames, gint64 duck_end)
{
  double duck = pow (10, -18.0 / 20);

  rig_check_sound (rig, 0, from, 0);
  for (gint64 at = from + RATE / 20 + 1; at < duck_end; at++) {
    double expected =
        (1 + at % RIG_CYCLE) * duck + 10000 * dub_gain (at - from, frames);

    g_assert_cmpint (ABS (rig_left (rig, at) - (int) expected), <=, 2);
  }
  rig_check_sound (rig, duck_end + RATE * 3 / 10 + 2, 20 * RATE, 0);
}

/* Sample for sample, where the original is being lowered and where it stays. */
static void
test_dub_fades_in_and_out (void)
{
  g_autoptr (Rig) rig = rig_with_fragment (NULL);
  double duck = pow (10, -18.0 / 20);
  gint64 frames = 2 * RATE;

  rig_answer (rig, 0, frames, 10000);
  rig_play (rig, 30 * S);
  rig_check_sound (rig, 0, SLOT_FIRST, 0);
  for (gint64 i = 0; i < frames; i++) {
    double down = 1 - (1 - duck) * (double) i / (RATE * 0.05);
    double original = 1 + (double) ((SLOT_FIRST + i) % RIG_CYCLE);
    double expected =
        original * MAX (duck, down) + 10000 * dub_gain (i, frames);

    g_assert_cmpint (
        ABS (rig_left (rig, SLOT_FIRST + i) - (int) expected), <=, 2);
  }
  /* never a step of more than a 64th of its height */
  g_assert_cmpfloat (dub_gain (0, frames), <, 1.0 / 64);
  g_assert_cmpfloat (dub_gain (frames - 1, frames), <, 1.0 / 64);
}

static void
test_dub_sounds_in_its_slot (void)
{
  g_autoptr (Rig) rig = rig_with_fragment (NULL);
  gint64 first = SLOT_FIRST;

  rig_answer (rig, 0, 2 * RATE, 10000); /* shorter than its slot */
  rig_play (rig, 30 * S);
  check_dub (rig, first, 2 * RATE,
      first + (gint64) ((DubFragment *) g_ptr_array_index (rig->fragments, 0))
                  ->pcm->frames);
  g_assert_cmpint (rig_count (rig, DUB_EVENT_DUB_STARTED), ==, 1);
  g_assert_cmpint (rig_count (rig, DUB_EVENT_DUB_HEARD), ==, 1);
  g_assert_cmpint (rig_event (rig, DUB_EVENT_DUB_STARTED, 0)->lag_ns, ==, 0);
  g_assert_cmpint (rig_stats (rig).dubs_heard, ==, 1);
  g_assert_cmpint (
      rig_stats (rig).dubbed_frames, ==, rig_stats (rig).segment_frames);
}

static void
test_longer_dub_is_heard_whole (void)
{
  g_autoptr (Rig) rig = rig_with_fragment (NULL);
  gint64 first = SLOT_FIRST;

  rig_answer (rig, 0, 5 * RATE, 10000);
  rig_play (rig, 30 * S);
  check_dub (rig, first, 5 * RATE, first + 5 * RATE);
}

static void
test_late_dub_starts_late (void)
{
  g_autoptr (Rig) rig = rig_with_fragment (NULL);
  gint64 lag_ns, start, answered_ns;

  /* its slot leaves at 10.8 s */
  rig_play (rig, 11800 * MS - 7 * S);
  answered_ns = rig->now_ns;
  rig_answer (rig, 0, 2 * RATE, 10000);
  rig_play (rig, 30 * S);
  /* The dub came so long after it should have begun. */
  g_assert_cmpint (rig_count (rig, DUB_EVENT_ANSWERED), ==, 1);
  g_assert_cmpint (rig_event (rig, DUB_EVENT_ANSWERED, 0)->lag_ns, ==,
      answered_ns - RIG_START - DELAY -
          rig_event (rig, DUB_EVENT_ANSWERED, 0)->media_ns);
  lag_ns = rig_event (rig, DUB_EVENT_DUB_STARTED, 0)->lag_ns;
  g_assert_cmpint (lag_ns, >=, S);
  g_assert_cmpint (lag_ns, <=, S + 25 * MS);
  start = SLOT_FIRST + dub_ns_to_frames (lag_ns, RIG_RATE);
  rig_check_sound (rig, 0, start, 0);
  g_assert_cmpint (rig_left (rig, start + RATE / 100), >, 9000);
}

static void
test_too_late_is_not_waited_for (void)
{
  g_autoptr (Rig) rig = rig_with_fragment (NULL);

  rig_play (rig, 12300 * MS - 7 * S);
  rig_answer (rig, 0, 2 * RATE, 10000);
  rig_play (rig, 30 * S);
  rig_check_sound (rig, 0, 30 * RATE, 0);
  g_assert_cmpint (rig_count (rig, DUB_EVENT_FALLBACK), ==, 1);
  g_assert_cmpstr (
      rig_event (rig, DUB_EVENT_FALLBACK, 0)->detail, ==, "timeout");
  g_assert_cmpstr (
      rig_event (rig, DUB_EVENT_ANSWER_IGNORED, 0)->detail, ==, "late");
  g_assert_cmpint (rig_stats (rig).answers_late, ==, 1);
  g_assert_cmpint (rig_stats (rig).fallback_timeout, ==, 1);
}

static void
test_answer_is_used_once (void)
{
  g_autoptr (Rig) rig = rig_with_fragment (NULL);
  DubAnswer *stranger = dub_answer_new ("nobody", DUB_ANSWER_SUCCESS);

  rig_answer (rig, 0, RATE, 10000);
  rig_answer (rig, 0, RATE, 10000);
  dub_programme_push_answer (rig->programme, stranger, rig->now_ns);
  rig_play (rig, 30 * S);
  g_assert_cmpint (rig_stats (rig).dubs_heard, ==, 1);
  g_assert_cmpint (rig_stats (rig).answers_duplicate, ==, 1);
  g_assert_cmpint (rig_stats (rig).answers_unknown, ==, 1);
  g_assert_cmpstr (
      rig_event (rig, DUB_EVENT_ANSWER_IGNORED, 0)->detail, ==, "duplicate");
  g_assert_cmpstr (
      rig_event (rig, DUB_EVENT_ANSWER_IGNORED, 1)->detail, ==, "unknown");
}

/* ---- without an answer ---- */

static void
fail (Rig *rig)
{
  const DubFragment *fragment = g_ptr_array_index (rig->fragments, 0);

  dub_programme_push_answer (rig->programme,
      dub_answer_new (fragment->id, DUB_ANSWER_FAILED), rig->now_ns);
}

static void
test_failed_keeps_the_original (void)
{
  g_autoptr (Rig) rig = rig_with_fragment (NULL);

  fail (rig);
  rig_play (rig, 30 * S);
  rig_check_sound (rig, 0, 29 * RATE, 0);
  g_assert_cmpint (rig_stats (rig).fallback_failed, ==, 1);
  g_assert_cmpint (rig_stats (rig).answers_failed, ==, 1);
  g_assert_cmpstr (
      rig_event (rig, DUB_EVENT_FALLBACK, 0)->detail, ==, "failed");
}

/* What it opened for is told once, and the programme goes on untouched. */
static void
test_breaker_is_told (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  dub_programme_set_sts (rig->programme, DUB_STS_READY, 3, 0, rig->now_ns);
  for (guint i = 0; i < 7; i++) {
    gint64 from = (gint64) i * 4 * RATE / RIG_WINDOW * RIG_WINDOW;

    rig_play (rig, 4 * S);
    rig_speak (rig, from, from + 2 * RATE / RIG_WINDOW * RIG_WINDOW, TRUE);
    rig_speak (rig, from + 2 * RATE / RIG_WINDOW * RIG_WINDOW,
        from + 4 * RATE / RIG_WINDOW * RIG_WINDOW, FALSE);
    if (i < rig->fragments->len) {
      DubAnswer *answer = dub_answer_new (
          ((DubFragment *) g_ptr_array_index (rig->fragments, i))->id,
          DUB_ANSWER_FAILED);

      answer->counts_for_breaker = TRUE;
      dub_programme_push_answer (rig->programme, answer, rig->now_ns);
    }
  }
  rig_play (rig, 10 * S);
  g_assert_cmpuint (rig->fragments->len, ==, 5);
  g_assert_cmpuint (rig_count (rig, DUB_EVENT_BREAKER), ==, 1);
  g_assert_cmpstr (rig_event (rig, DUB_EVENT_BREAKER, 0)->detail, ==, "open");
  g_assert_cmpuint (rig_stats (rig).breaker_state, ==, DUB_BREAKER_OPEN);
  g_assert_cmpuint (rig_stats (rig).breaker_failures, ==, 5);
  g_assert_cmpuint (rig_stats (rig).fallback_breaker, ==, 2);
  rig_check_sound (rig, 0, 28 * RATE, 0);
}

static void
check_fallback_mode (DubFallbackMode mode, double gain)
{
  DubProgrammeParams params;
  g_autoptr (Rig) rig = NULL;
  gint64 first = SLOT_FIRST, end;

  dub_programme_params_init (&params);
  rig = rig_with_fragment (&params);
  dub_programme_set_fallback (rig->programme, mode);
  end = first + (gint64) ((DubFragment *) g_ptr_array_index (rig->fragments, 0))
                    ->pcm->frames;
  fail (rig);
  rig_play (rig, 30 * S);
  rig_check_sound (rig, 0, first, 0);
  for (gint64 at = first + RATE / 20 + 1; at < end; at++)
    g_assert_cmpint (
        ABS (rig_left (rig, at) - (int) ((1 + at % RIG_CYCLE) * gain)), <=, 1);
  rig_check_sound (rig, end + RATE * 3 / 10 + 2, 29 * RATE, 0);
}

static void
test_fallback_modes (void)
{
  check_fallback_mode (DUB_FALLBACK_PASS_THROUGH, 1.0);
  check_fallback_mode (DUB_FALLBACK_DUCKED_ORIGINAL, pow (10, -18.0 / 20));
  check_fallback_mode (DUB_FALLBACK_SILENCE, 0.0);
}

static void
test_lost_link_keeps_the_original (void)
{
  g_autoptr (Rig) rig = rig_with_fragment (NULL);

  dub_programme_set_sts (rig->programme, DUB_STS_LOST, 0, 0, rig->now_ns);
  g_assert_cmpstr (
      rig_event (rig, DUB_EVENT_FALLBACK, 0)->detail, ==, "disconnected");
  rig_answer (rig, 0, RATE, 10000);
  rig_play (rig, 3 * S);
  rig_speak (rig, 8 * RATE, 9 * RATE, TRUE);
  rig_speak (rig, 9 * RATE, 10 * RATE, FALSE);
  g_assert_cmpstr (
      rig_event (rig, DUB_EVENT_FALLBACK, 1)->detail, ==, "not_ready");
  rig_play (rig, 30 * S);
  rig_check_sound (rig, 0, 29 * RATE, 0);
}

static void
test_paused_link (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  dub_programme_set_sts (rig->programme, DUB_STS_PAUSED, 0, 0, rig->now_ns);
  rig_play (rig, 7 * S);
  rig_speak (rig, 0, 3 * RATE, TRUE);
  rig_speak (rig, 3 * RATE, 5 * RATE, FALSE);
  g_assert_cmpuint (rig->fragments->len, ==, 0);
  g_assert_cmpuint (rig_stats (rig).fragments_waiting, ==, 1);
  dub_programme_set_sts (rig->programme, DUB_STS_READY, 0, 0, rig->now_ns);
  g_assert_cmpuint (rig->fragments->len, ==, 1);
  g_assert_cmpuint (rig_stats (rig).fragments_inflight, ==, 1);
}

/* Marks that come after their sound has left. */
static void
test_segment_that_has_left_is_counted (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  dub_programme_set_sts (rig->programme, DUB_STS_READY, 0, 0, rig->now_ns);
  rig_play (rig, 20 * S);
  rig_speak (rig, 0, 3 * RATE, TRUE);
  rig_speak (rig, 3 * RATE, 5 * RATE, FALSE);
  g_assert_cmpuint (rig->fragments->len, ==, 0);
  g_assert_cmpint (rig_stats (rig).fallback_gone, ==, 1);
}

static void
test_short_delay_passes_through (void)
{
  DubProgrammeParams params;
  g_autoptr (Rig) rig = NULL;

  dub_programme_params_init (&params);
  g_assert_cmpint (dub_programme_max_segment_ns (&params), ==, 5 * S);
  params.output_delay_ns = 6 * S;
  g_assert_cmpint (dub_programme_max_segment_ns (&params), ==, 3 * S);
  params.output_delay_ns = 4500 * MS;
  g_assert_cmpint (dub_programme_max_segment_ns (&params), ==, 1500 * MS);
  params.output_delay_ns = 4499 * MS;
  g_assert_cmpint (dub_programme_max_segment_ns (&params), ==, 0);
  rig = rig_new (&params);
  dub_programme_set_sts (rig->programme, DUB_STS_READY, 0, 0, rig->now_ns);
  rig_play (rig, 4 * S);
  rig_speak (rig, 0, 4 * RATE, TRUE);
  g_assert_cmpint (rig_count (rig, DUB_EVENT_SEGMENT), ==, 0);
}

static void
test_fixed_segments_need_no_marks (void)
{
  DubProgrammeParams params;
  g_autoptr (Rig) rig = NULL;

  dub_programme_params_init (&params);
  params.output_delay_ns = 9 * S;
  params.max_segment_ns = 6 * S;
  params.segment_mode = DUB_SEGMENT_MODE_FIXED;
  rig = rig_new (&params);
  dub_programme_set_sts (rig->programme, DUB_STS_READY, 0, 0, rig->now_ns);
  rig_speak (rig, 0, 4 * RATE, TRUE); /* of no interest */
  rig_play (rig, 31 * S);
  g_assert_cmpint (rig_count (rig, DUB_EVENT_SEGMENT), ==, 5);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (
        rig_event (rig, DUB_EVENT_SEGMENT, i)->media_ns, ==, i * 6 * S);
}

static void
test_remove_mode (void)
{
  g_autoptr (Rig) rig = rig_with_fragment (NULL);
  gint64 first = SLOT_FIRST;

  dub_programme_set_mix (rig->programme, DUB_MIX_REMOVE, 0);
  rig_answer (rig, 0, 2 * RATE, 10000);
  rig_play (rig, 30 * S);
  for (gint64 at = first + RATE / 20 + 1; at < first + 2 * RATE; at++)
    g_assert_cmpint (ABS (rig_left (rig, at) -
                          (int) (10000 * dub_gain (at - first, 2 * RATE))),
        <=, 1);
}

/* ---- the end ---- */

static void
test_ended_plays_out (void)
{
  g_autoptr (Rig) rig = rig_with_fragment (NULL);

  rig_answer (rig, 0, 8 * RATE, 10000); /* beyond the end of the source */
  dub_programme_source_ended (rig->programme, rig->now_ns);
  rig_idle (rig, 60 * S);
  g_assert_cmpint (rig_count (rig, DUB_EVENT_DRAINED), ==, 1);
  g_assert_cmpint (rig_count (rig, DUB_EVENT_HOLD_BEGIN), ==, 0);
  g_assert_cmpint (rig->pictures->len, ==, 7 * 25);
  g_assert_cmpint (rig->sound->len / 2, >=, SLOT_FIRST + 8 * RATE);
  g_assert_cmpint (rig->sound->len / 2, <, 11 * RATE);
  g_assert_cmpint (rig_stats (rig).dubs_heard, ==, 1);
  rig_play (rig, S); /* comes too late for anything */
  g_assert_cmpint (rig->pictures->len, ==, 7 * 25);
  g_assert_cmpint (rig_count (rig, DUB_EVENT_DRAINED), ==, 1);
}

static void
test_speech_at_the_end_is_a_segment (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  dub_programme_set_sts (rig->programme, DUB_STS_READY, 0, 0, rig->now_ns);
  rig_play (rig, 4 * S);
  rig_speak (rig, 0, 3 * RATE, TRUE);
  dub_programme_source_ended (rig->programme, rig->now_ns);
  g_assert_cmpuint (rig->fragments->len, ==, 1);
  g_assert_cmpint (rig_stats (rig).segments_eos, ==, 1);
}

/* ---- bad values ---- */

static void
test_bad_values_are_dropped (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);
  DubAccessUnit *unit;

  rig_play (rig, 10 * S);
  unit = dub_access_unit_new (DUB_VIDEO_CODEC_H264,
      g_bytes_new_static ("timeless", 8), NULL, DUB_TIME_NONE, DUB_TIME_NONE,
      FALSE);
  dub_programme_push_video (rig->programme, unit, rig->now_ns);
  dub_programme_push_sound (rig->programme,
      dub_pcm_new_silence (100, 44100, 2, rig->base_ns), rig->now_ns);
  dub_programme_push_sound (rig->programme,
      dub_pcm_new_silence (100, RIG_RATE, 6, rig->base_ns), rig->now_ns);
  dub_programme_push_sound (rig->programme,
      dub_pcm_new_silence (2 * RATE, RIG_RATE, 2, rig->base_ns), rig->now_ns);
  dub_programme_push_sound (rig->programme,
      dub_pcm_new_silence (0, RIG_RATE, 2, rig->base_ns), rig->now_ns);
  g_assert_cmpint (rig_stats (rig).video_dropped_invalid, ==, 1);
  g_assert_cmpint (rig_stats (rig).sound_frames_dropped, ==, 200 + 2 * RATE);
  rig_play (rig, 20 * S);
  rig_check_sound (rig, 0, 21 * RATE, 0);
}

/* One picture says it is shown minutes from now, one before it is decoded by
 * as much, one in another century: all up to the next key frame are gone. */
static void
test_wild_times_are_refused (void)
{
  static const gint64 wild_ns[] = {60 * S, -60 * S, G_MAXINT64 / 2};

  for (gsize i = 0; i < G_N_ELEMENTS (wild_ns); i++) {
    g_autoptr (Rig) rig = rig_new (NULL);
    gint64 dts_ns;

    rig_play (rig, 5200 * MS);
    dts_ns = rig->base_ns + 5200 * MS;
    dub_programme_push_video (rig->programme,
        dub_access_unit_new (DUB_VIDEO_CODEC_H264,
            g_bytes_new_static ("someone!", 8), NULL,
            (i == 2 ? 0 : dts_ns) + wild_ns[i], dts_ns, FALSE),
        rig->now_ns);
    rig->picture++;
    rig_play (rig, 20 * S);
    g_assert_cmpint (rig_stats (rig).video_dropped_invalid, ==, 1);
    g_assert_cmpint (rig_stats (rig).video_dropped_key_wait, ==, 19);
    g_assert_cmpint (rig_stats (rig).epochs, ==, 1);
    rig_check_video (rig);
    rig_check_sound (rig, 0, 16 * RATE, 0);
  }
}

static void
test_bad_answers_are_dropped (void)
{
  static const struct {
    gsize frames;
    guint rate_hz, channels;
    const char *detail;
  } cases[] = {
      {0, RIG_RATE, 1, "empty"},
      {1000, 44100, 1, "format"},
      {1000, RIG_RATE, 3, "format"},
      {61 * RIG_RATE, RIG_RATE, 1, "too_long"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (Rig) rig = rig_with_fragment (NULL);
    const DubFragment *fragment = g_ptr_array_index (rig->fragments, 0);
    DubAnswer *answer = dub_answer_new (fragment->id, DUB_ANSWER_SUCCESS);

    answer->pcm = dub_pcm_new_silence (
        cases[i].frames, cases[i].rate_hz, cases[i].channels, 0);
    dub_programme_push_answer (rig->programme, answer, rig->now_ns);
    g_assert_cmpstr (
        rig_event (rig, DUB_EVENT_DUB_DROPPED, 0)->detail, ==, cases[i].detail);
    g_assert_cmpint (rig_stats (rig).dubs_dropped_other, ==, 1);
    rig_play (rig, 20 * S);
    rig_check_sound (rig, 0, 18 * RATE, 0);
  }
}

static void
test_sound_without_times_follows_itself (void)
{
  g_autoptr (Rig) rig = rig_new (NULL);

  rig->is_mute = TRUE;
  rig_play (rig, 40 * MS);
  dub_programme_push_sound (rig->programme,
      dub_pcm_new_silence (4800, RIG_RATE, 1, rig->base_ns), rig->now_ns);
  dub_programme_push_sound (rig->programme,
      dub_pcm_new_silence (4800, RIG_RATE, 2, DUB_TIME_NONE), rig->now_ns);
  g_assert_cmpint (rig->heard_end, ==, 9600);
}

static void
test_names (void)
{
  DubFallbackMode mode = DUB_FALLBACK_NONE;
  DubSourceLoss loss = DUB_SOURCE_LOSS_NONE;

  g_assert_true (dub_fallback_mode_parse ("ducked-original", &mode));
  g_assert_cmpint (mode, ==, DUB_FALLBACK_DUCKED_ORIGINAL);
  g_assert_true (dub_fallback_mode_parse ("last-good-dub", &mode));
  g_assert_cmpint (mode, ==, DUB_FALLBACK_PASS_THROUGH);
  g_assert_false (dub_fallback_mode_parse ("loud", &mode));
  g_assert_false (dub_fallback_mode_parse (NULL, &mode));
  g_assert_true (dub_source_loss_parse ("close", &loss));
  g_assert_cmpint (loss, ==, DUB_SOURCE_LOSS_CLOSE);
  g_assert_false (dub_source_loss_parse ("", &loss));
  g_assert_cmpstr (
      dub_programme_event_type_to_string (DUB_EVENT_DRAINED), ==, "drained");
  g_assert_cmpstr (dub_programme_event_type_to_string (99), ==, "none");
}

int
main (int argc, char **argv)
{
  static const RigTest tests[] = {
      {"passes-through", test_passes_through},
      {"sound-leaves-ahead", test_sound_leaves_ahead_by_the_lead},
      {"waits-for-a-key-frame", test_waits_for_a_key_frame},
      {"sound-that-comes-first", test_sound_that_comes_first_is_kept},
      {"fragment-is-what-was-said", test_fragment_is_what_was_said},
      {"dub-sounds-in-its-slot", test_dub_sounds_in_its_slot},
      {"dub-fades-in-and-out", test_dub_fades_in_and_out},
      {"longer-dub-is-heard-whole", test_longer_dub_is_heard_whole},
      {"late-dub-starts-late", test_late_dub_starts_late},
      {"too-late-is-not-waited-for", test_too_late_is_not_waited_for},
      {"answer-is-used-once", test_answer_is_used_once},
      {"failed-keeps-the-original", test_failed_keeps_the_original},
      {"fallback-modes", test_fallback_modes},
      {"breaker-is-told", test_breaker_is_told},
      {"lost-link-keeps-the-original", test_lost_link_keeps_the_original},
      {"paused-link", test_paused_link},
      {"segment-that-has-left", test_segment_that_has_left_is_counted},
      {"short-delay", test_short_delay_passes_through},
      {"fixed-segments", test_fixed_segments_need_no_marks},
      {"remove-mode", test_remove_mode},
      {"ended-plays-out", test_ended_plays_out},
      {"speech-at-the-end", test_speech_at_the_end_is_a_segment},
      {"bad-values", test_bad_values_are_dropped},
      {"wild-times", test_wild_times_are_refused},
      {"bad-answers", test_bad_answers_are_dropped},
      {"sound-without-times", test_sound_without_times_follows_itself},
      {"names", test_names},
  };

  g_test_init (&argc, &argv, NULL);
  rig_add_tests ("/media/programme/", tests, G_N_ELEMENTS (tests));
  return g_test_run ();
}
