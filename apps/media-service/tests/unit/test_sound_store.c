/* SPDX-License-Identifier: Apache-2.0 */
#include "programme/sound_store.h"

/* Stereo; frame i of the block at first holds (first + i, -(first + i)). */
static DubPcm *
block (gint64 first, gsize frames)
{
  gint16 *samples = g_new (gint16, frames * 2);

  for (gsize i = 0; i < frames; i++) {
    samples[2 * i] = (gint16) (first + (gint64) i);
    samples[2 * i + 1] = (gint16) - (first + (gint64) i);
  }
  return dub_pcm_new (g_bytes_new_take (samples, frames * 4), 48000, 2, 0);
}

static void
check (const DubSoundStore *store, gint64 first, gsize frames, gint64 hole_from,
    gint64 hole_to, gsize expected)
{
  gint16 out[400];

  g_assert_cmpuint (
      dub_sound_store_read (store, first, frames, out), ==, expected);
  for (gsize i = 0; i < frames; i++) {
    gint64 at = first + (gint64) i;
    gboolean is_hole = at >= hole_from && at < hole_to;

    g_assert_cmpint (out[2 * i], ==, is_hole ? 0 : at);
    g_assert_cmpint (out[2 * i + 1], ==, is_hole ? 0 : -at);
  }
}

static void
test_reads_over_blocks_and_holes (void)
{
  g_autoptr (DubSoundStore) store = dub_sound_store_new (2);

  check (store, 0, 10, 0, 10, 0);
  dub_sound_store_append (store, 10, block (10, 20));
  dub_sound_store_append (store, 30, block (30, 20));
  dub_sound_store_append (store, 60, block (60, 40));
  g_assert_cmpint (dub_sound_store_begin (store), ==, 10);
  g_assert_cmpint (dub_sound_store_end (store), ==, 100);
  check (store, 10, 40, 0, 0, 40);
  check (store, 15, 5, 0, 0, 5);
  check (store, 0, 20, 0, 10, 10);
  check (store, 20, 60, 50, 60, 50);
  check (store, 90, 20, 100, 110, 10);
  check (store, 200, 20, 200, 220, 0);
  check (store, 52, 5, 52, 57, 0);
}

static void
test_discards_what_has_left (void)
{
  g_autoptr (DubSoundStore) store = dub_sound_store_new (2);
  gint64 at = 0;

  for (int i = 0; i < 1000; i++, at += 10) {
    dub_sound_store_append (store, at, block (at, 10));
    dub_sound_store_discard_before (store, at - 95);
    g_assert_cmpint (dub_sound_store_begin (store), ==, MAX (0, at - 100));
  }
  check (store, at - 100, 100, 0, 0, 100);
  dub_sound_store_discard_before (store, at);
  g_assert_cmpint (dub_sound_store_begin (store), ==, at);
  g_assert_cmpint (dub_sound_store_end (store), ==, at);
  dub_sound_store_free (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/sound-store/reads-over-blocks-and-holes",
      test_reads_over_blocks_and_holes);
  g_test_add_func (
      "/media/sound-store/discards-what-has-left", test_discards_what_has_left);
  return g_test_run ();
}
