/* SPDX-License-Identifier: Apache-2.0 */
#include "programme/file_clock.h"
#include "programme_rig.h"

/*
 * File mode: media leaves when all that was said before it has its answer, or
 * has failed; nothing is too late.
 */

#define S RIG_S
#define RATE ((gint64) RIG_RATE)
#define BLOCK 1024

static Rig *
file_rig (void)
{
  DubProgrammeParams params;
  Rig *rig;

  dub_programme_params_init (&params);
  params.is_file = TRUE;
  params.output_delay_ns = 65 * S;
  params.max_dub_lag_ns = 600 * S;
  params.fragment_timeout_ns = 32 * S;
  rig = rig_new (&params);
  dub_programme_set_sts (rig->programme, DUB_STS_READY, 3, 0, rig->now_ns);
  return rig;
}

/* Twelve seconds of source in which somebody speaks from 2 to 4 s and from 6
 * to 8 s. */
static Rig *
two_sentences (void)
{
  Rig *rig = file_rig ();

  rig_play (rig, 12 * S);
  rig_speak (rig, 0, 2 * RATE, FALSE);
  rig_speak (rig, 2 * RATE, 4 * RATE, TRUE);
  rig_speak (rig, 4 * RATE, 6 * RATE, FALSE);
  rig_speak (rig, 6 * RATE, 8 * RATE, TRUE);
  rig_speak (rig, 8 * RATE, 12 * RATE, FALSE);
  g_assert_cmpuint (rig->fragments->len, ==, 2);
  return rig;
}

static gint64
slot_of (const Rig *rig, guint i)
{
  const DubFragment *fragment = g_ptr_array_index (rig->fragments, i);

  return dub_ns_to_frames (fragment->pcm->pts_ns, RIG_RATE);
}

/* One past the last frame that has left. */
static gint64
left_until (const Rig *rig)
{
  return rig->sound_first + (gint64) rig->sound->len / 2;
}

static void
end (Rig *rig)
{
  dub_programme_source_ended (rig->programme, rig->now_ns);
  dub_programme_run (rig->programme, rig->now_ns);
}

static void
test_pure (void)
{
  const DubFileProgress open = {.video_ns = 9 * S,
      .sound_ns = 9 * S,
      .speech_ns = 7 * S,
      .dubbing_ns = G_MAXINT64};
  DubFileProgress p = open;

  g_assert_cmpint (dub_file_clock_ns (&p, S), ==, 6 * S);
  p.dubbing_ns = 3 * S;
  g_assert_cmpint (dub_file_clock_ns (&p, S), ==, 2 * S);
  p.is_ended = TRUE;
  g_assert_cmpint (dub_file_clock_ns (&p, S), ==, 2 * S);
  p.dubbing_ns = G_MAXINT64;
  g_assert_cmpint (dub_file_clock_ns (&p, S), ==, G_MAXINT64);
  /* A track that ended long before the other is not waited for. */
  p = open;
  p.video_ns = 100 * S;
  g_assert_cmpint (dub_file_clock_ns (&p, 0), ==, 90 * S);
  p.video_ns = 9 * S;
  p.sound_ns = p.speech_ns = 100 * S;
  g_assert_cmpint (dub_file_clock_ns (&p, 0), ==, 90 * S);
}

/* Sound that nobody has judged might be speech. */
static void
test_waits_for_the_detector (void)
{
  g_autoptr (Rig) rig = file_rig ();

  rig_play (rig, 4 * S);
  g_assert_cmpint (left_until (rig), ==, 0);
  g_assert_false (dub_programme_is_judged (rig->programme));
  rig_speak (rig, 0, 4 * RATE, FALSE);
  g_assert_true (dub_programme_is_judged (rig->programme));
  g_assert_cmpint (left_until (rig), >, 3 * RATE);
  g_assert_cmpint (left_until (rig), <=, 4 * RATE);
}

/* An hour is not too long. */
static void
test_waits_for_the_answer (void)
{
  g_autoptr (Rig) rig = two_sentences ();
  gint64 slot = slot_of (rig, 0);

  g_assert_cmpint (left_until (rig), >, slot - 3 * BLOCK);
  g_assert_cmpint (left_until (rig), <=, slot);
  rig->now_ns += 30 * S;
  dub_programme_run (rig->programme, rig->now_ns);
  g_assert_cmpint (left_until (rig), <=, slot);
  rig_answer (rig, 0, RATE, 9000);
  g_assert_cmpint (left_until (rig), >, slot + RATE);
  g_assert_cmpint (left_until (rig), <=, slot_of (rig, 1));
  g_assert_cmpuint (rig_count (rig, DUB_EVENT_DUB_DROPPED), ==, 0);
  g_assert_cmpint (rig_event (rig, DUB_EVENT_DUB_STARTED, 0)->lag_ns, ==, 0);
}

static void
test_order_of_answers_is_free (void)
{
  g_autoptr (Rig) rig = two_sentences ();

  rig_answer (rig, 1, RATE, 9000);
  g_assert_cmpint (left_until (rig), <=, slot_of (rig, 0));
  rig_answer (rig, 0, RATE, 8000);
  end (rig);
  g_assert_cmpuint (rig_count (rig, DUB_EVENT_DUB_HEARD), ==, 2);
  g_assert_cmpuint (rig_count (rig, DUB_EVENT_DRAINED), ==, 1);
  g_assert_cmpint (left_until (rig), >=, 12 * RATE);
  rig_check_video (rig);
}

/* One that fails keeps its original, and holds nothing up. */
static void
test_failure_goes_on (void)
{
  g_autoptr (Rig) rig = two_sentences ();
  const DubFragment *first = g_ptr_array_index (rig->fragments, 0);
  gint64 slot = slot_of (rig, 0);

  dub_programme_push_answer (rig->programme,
      dub_answer_new (first->id, DUB_ANSWER_FAILED), rig->now_ns);
  dub_programme_run (rig->programme, rig->now_ns);
  g_assert_cmpint (left_until (rig), >, slot + 2 * RATE);
  rig_check_sound (rig, slot, slot + 2 * RATE, 0);
}

static void
fail_by_chance (Rig *rig, guint i)
{
  const DubFragment *fragment = g_ptr_array_index (rig->fragments, i);
  DubAnswer *answer = dub_answer_new (fragment->id, DUB_ANSWER_FAILED);

  answer->is_retryable = TRUE;
  dub_programme_push_answer (rig->programme, answer, rig->now_ns);
  dub_programme_run (rig->programme, rig->now_ns);
}

/* What failed by chance is asked for once more, under another id. */
static void
test_asks_again_once (void)
{
  g_autoptr (Rig) rig = two_sentences ();
  gint64 slot = slot_of (rig, 0);
  const DubFragment *first = g_ptr_array_index (rig->fragments, 0);
  const DubFragment *again;

  fail_by_chance (rig, 0);
  g_assert_cmpuint (rig->fragments->len, ==, 3);
  again = g_ptr_array_index (rig->fragments, 2);
  g_assert_cmpstr (again->id, !=, first->id);
  g_assert_true (again->pcm == first->pcm);
  g_assert_cmpint (left_until (rig), <=, slot);
  fail_by_chance (rig, 2);
  g_assert_cmpuint (rig->fragments->len, ==, 3);
  g_assert_cmpuint (rig_count (rig, DUB_EVENT_FALLBACK), ==, 1);
  g_assert_cmpint (left_until (rig), >, slot + 2 * RATE);
}

/* A service that never answers costs the fragment its time, not the file. */
static void
test_silent_service (void)
{
  g_autoptr (Rig) rig = two_sentences ();

  end (rig);
  g_assert_cmpuint (rig_count (rig, DUB_EVENT_DRAINED), ==, 0);
  rig->now_ns += 60 * S;
  dub_programme_run (rig->programme, rig->now_ns);
  g_assert_cmpuint (rig_count (rig, DUB_EVENT_FALLBACK), ==, 2);
  g_assert_cmpuint (rig_count (rig, DUB_EVENT_DRAINED), ==, 1);
  rig_check_sound (rig, 2 * RATE, 11 * RATE, 0);
}

/* What is held is bounded: the source must wait. */
static void
test_room (void)
{
  g_autoptr (Rig) rig = file_rig ();

  g_assert_true (dub_programme_has_room (rig->programme));
  rig_play (rig, 6 * S);
  g_assert_false (dub_programme_has_room (rig->programme));
  rig_speak (rig, 0, 2 * RATE, FALSE);
  rig_speak (rig, 2 * RATE, 4 * RATE, TRUE);
  rig_speak (rig, 4 * RATE, 6 * RATE, FALSE);
  g_assert_true (dub_programme_has_room (rig->programme));
  for (int i = 6; i < 46; i++) {
    rig_burst (rig, S);
    rig_speak (rig, i * RATE, (i + 1) * RATE, FALSE);
  }
  g_assert_false (dub_programme_has_room (rig->programme));
  rig_answer (rig, 0, RATE, 9000);
  g_assert_true (dub_programme_has_room (rig->programme));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/file-clock/pure", test_pure);
  g_test_add_func (
      "/media/file-clock/waits-for-the-detector", test_waits_for_the_detector);
  g_test_add_func (
      "/media/file-clock/waits-for-the-answer", test_waits_for_the_answer);
  g_test_add_func ("/media/file-clock/order-of-answers-is-free",
      test_order_of_answers_is_free);
  g_test_add_func ("/media/file-clock/failure-goes-on", test_failure_goes_on);
  g_test_add_func ("/media/file-clock/asks-again-once", test_asks_again_once);
  g_test_add_func ("/media/file-clock/silent-service", test_silent_service);
  g_test_add_func ("/media/file-clock/room", test_room);
  return g_test_run ();
}
