/* SPDX-License-Identifier: Apache-2.0 */
#include "programme_rig.h"

/*
 * The sound that is kept for segments, and what of it goes into each: whole, to
 * the sample, whatever cuts it, and never more than its limits.
 */

#define MS RIG_MS
#define S RIG_S
#define RATE ((gint64) RIG_RATE)

static Rig *
rig_ready (const DubProgrammeParams *params)
{
  Rig *rig = rig_new (params);

  dub_programme_set_sts (rig->programme, DUB_STS_READY, 16, 0, rig->now_ns);
  return rig;
}

static const DubFragment *
fragment_at (const Rig *rig, guint i)
{
  g_assert_cmpuint (i, <, rig->fragments->len);
  return g_ptr_array_index (rig->fragments, i);
}

static gint64
first_of (const DubFragment *fragment)
{
  return dub_ns_to_frames (fragment->pcm->pts_ns, RIG_RATE);
}

/* Its samples are those of the source, at that place: left and right (0) make
 * half of it. */
static void
check_sound_of (const DubFragment *fragment)
{
  for (gsize i = 0; i < fragment->pcm->frames; i++) {
    gint64 left = 1 + (first_of (fragment) + (gint64) i) % RIG_CYCLE;

    g_assert_cmpint (ABS (2 * fragment->pcm->samples[i] - left), <=, 1);
  }
}

/* Each begins where the last one ended. */
static void
check_row (const Rig *rig, guint n)
{
  for (guint i = 0; i < n; i++) {
    const DubFragment *fragment = fragment_at (rig, i);

    check_sound_of (fragment);
    if (i > 0)
      g_assert_cmpint (first_of (fragment), ==,
          first_of (fragment_at (rig, i - 1)) +
              (gint64) fragment_at (rig, i - 1)->pcm->frames);
  }
}

static void
test_forced_cuts_lose_nothing (void)
{
  g_autoptr (Rig) rig = rig_ready (NULL);

  rig_play (rig, 100 * MS);
  for (guint i = 0; i < 25; i++) {
    rig_play (rig, S);
    rig_speak (rig, i * RATE, (i + 1) * RATE, TRUE);
  }
  g_assert_cmpuint (rig->fragments->len, >=, 3);
  check_row (rig, rig->fragments->len);
  for (guint i = 0; i < rig->fragments->len; i++) {
    const DubFragment *fragment = fragment_at (rig, i);

    g_assert_cmpint (fragment->reason, ==, DUB_CUT_MAX_DURATION);
    g_assert_cmpuint (fragment->pcm->frames, <=, 5 * RATE);
    g_assert_cmpuint (fragment->pcm->frames, >=, 4 * RATE);
  }
}

/* 2 bytes a sample, mono: so many are the limit. */
static void
test_memory_limit (void)
{
  DubProgrammeParams params;
  g_autoptr (Rig) rig = NULL;

  dub_programme_params_init (&params);
  params.segment_bytes = 2 * (2 * RATE + 77);
  params.segment_mode = DUB_SEGMENT_MODE_FIXED;
  rig = rig_ready (&params);
  rig_play (rig, 9 * S);
  g_assert_cmpuint (rig->fragments->len, >=, 3);
  check_row (rig, rig->fragments->len);
  for (guint i = 0; i < rig->fragments->len; i++) {
    g_assert_cmpint (fragment_at (rig, i)->reason, ==, DUB_CUT_MEMORY_LIMIT);
    g_assert_cmpuint (fragment_at (rig, i)->pcm->frames, ==, 2 * RATE + 77);
  }
}

static void
test_fixed (void)
{
  DubProgrammeParams params;
  g_autoptr (Rig) rig = NULL;

  dub_programme_params_init (&params);
  params.output_delay_ns = 9 * S;
  params.max_segment_ns = 6 * S;
  params.segment_mode = DUB_SEGMENT_MODE_FIXED;
  rig = rig_ready (&params);
  rig_play (rig, 25 * S);
  g_assert_cmpuint (rig->fragments->len, ==, 4);
  check_row (rig, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (fragment_at (rig, i)->pcm->frames, ==, 6 * RATE);
}

/* What is open at the end goes out from 1 s on, and is dropped below. */
static void
check_end (gint64 ms, guint n)
{
  DubProgrammeParams params;
  g_autoptr (Rig) rig = NULL;

  dub_programme_params_init (&params);
  params.output_delay_ns = 9 * S;
  params.max_segment_ns = 6 * S;
  params.segment_mode = DUB_SEGMENT_MODE_FIXED;
  rig = rig_ready (&params);
  rig_play (rig, 6 * S + ms * MS);
  dub_programme_source_ended (rig->programme, rig->now_ns);
  rig_play (rig, S);
  g_assert_cmpuint (rig->fragments->len, ==, n);
  if (n > 1)
    g_assert_cmpint (fragment_at (rig, 1)->reason, ==, DUB_CUT_EOS);
}

static void
test_end (void)
{
  check_end (1500, 2);
  check_end (900, 1);
}

/* Marks that come when the sound has left already find nothing, and say so. */
static void
test_gone (void)
{
  g_autoptr (Rig) rig = rig_ready (NULL);

  rig_play (rig, 30 * S);
  rig_speak (rig, RATE, 3 * RATE, TRUE);
  rig_speak (rig, 3 * RATE, 5 * RATE, FALSE);
  g_assert_cmpuint (rig->fragments->len, ==, 0);
  g_assert_cmpint (rig_stats (rig).fallback_gone, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/segment-buffer/forced-cuts-lose-nothing",
      test_forced_cuts_lose_nothing);
  g_test_add_func ("/media/segment-buffer/memory-limit", test_memory_limit);
  g_test_add_func ("/media/segment-buffer/fixed", test_fixed);
  g_test_add_func ("/media/segment-buffer/end", test_end);
  g_test_add_func ("/media/segment-buffer/gone", test_gone);
  return g_test_run ();
}
