/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/programme_thread.h"

#include "ingest/ingest.h"
#include <stdatomic.h>

#define RATE DUB_PROGRAMME_RATE_HZ
#define CHANNELS DUB_PROGRAMME_CHANNELS
#define STEP_MS 20
#define STEP_FRAMES (STEP_MS * RATE / 1000)
#define LEVEL 1000
#define DELAY_MS 200

/* A source in real time, and what has left. */
typedef struct {
  DubQueue *queue;
  gint64 begun_ns;
  gint64 sent_ms;
  _Atomic gint64 uncoded_ns;
  _Atomic guint pictures;
  _Atomic gint64 frames;
  _Atomic guint silent; /* samples */
  gint64 next_ns;
} World;

static void
on_video_in (const DubAccessUnit *unit, gpointer user_data)
{
}

static void
on_video (DubAccessUnit *unit, gpointer user_data)
{
  ((World *) user_data)->pictures++;
  dub_access_unit_unref (unit);
}

static void
on_sound (DubPcm *pcm, gpointer user_data)
{
  World *w = user_data;

  if (w->frames > 0)
    g_assert_cmpint (ABS (pcm->pts_ns - w->next_ns), <, DUB_NS_PER_MS);
  w->next_ns = pcm->pts_ns + dub_pcm_duration_ns (pcm);
  for (gsize i = 0; i < pcm->frames * CHANNELS; i++)
    w->silent += pcm->samples[i] != LEVEL;
  w->frames += (gint64) pcm->frames;
  dub_pcm_unref (pcm);
}

static gint64
get_uncoded_ns (gpointer user_data)
{
  return ((World *) user_data)->uncoded_ns;
}

static void
on_heard (DubPcm *pcm, gint64 first_frame, gpointer user_data)
{
  dub_pcm_unref (pcm);
}

static void
on_event (const DubProgrammeEvent *event, gpointer user_data)
{
}

static void
push (World *w, DubIngestItem item)
{
  item.arrival_ns = g_get_monotonic_time () * 1000;
  dub_queue_push (w->queue, g_memdup2 (&item, sizeof item), 1);
}

static DubPcm *
make_sound (gint64 pts_ns)
{
  gsize size = STEP_FRAMES * CHANNELS * sizeof (gint16);
  gint16 *samples = g_malloc (size);

  for (guint i = 0; i < STEP_FRAMES * CHANNELS; i++)
    samples[i] = LEVEL;
  return dub_pcm_new (g_bytes_new_take (samples, size), RATE, CHANNELS, pts_ns);
}

static void
play (World *w, gint64 ms)
{
  for (gint64 end_ms = w->sent_ms + ms; w->sent_ms < end_ms;
       w->sent_ms += STEP_MS) {
    gint64 pts_ns = w->sent_ms * DUB_NS_PER_MS;
    gint64 wait_ns = w->begun_ns + pts_ns - g_get_monotonic_time () * 1000;

    if (wait_ns > 0)
      g_usleep ((gulong) (wait_ns / 1000));
    push (w, (DubIngestItem){.kind = DUB_INGEST_ITEM_VIDEO,
                 .unit = dub_access_unit_new (DUB_VIDEO_CODEC_H264,
                     g_bytes_new_static ("picture", 7),
                     w->sent_ms == 0 ? g_bytes_new_static ("c", 1) : NULL,
                     pts_ns, pts_ns, w->sent_ms == 0)});
    push (w, (DubIngestItem){
                 .kind = DUB_INGEST_ITEM_SOUND, .pcm = make_sound (pts_ns)});
  }
}

static DubProgrammeThread *
begin (World *w)
{
  static const DubProgrammeThreadHandlers handlers = {
      .on_video_in = on_video_in,
      .on_video = on_video,
      .on_sound = on_sound,
      .get_uncoded_ns = get_uncoded_ns,
      .on_heard = on_heard,
      .on_event = on_event};
  DubProgrammeThread *thread;
  DubProgrammeParams params;

  dub_programme_params_init (&params);
  params.segment_mode = DUB_SEGMENT_MODE_NONE;
  params.output_delay_ns = DELAY_MS * DUB_NS_PER_MS;
  *w = (World){.queue = dub_ingest_queue_new ()};
  thread = dub_programme_thread_new (&params, w->queue, &handlers, w);
  dub_programme_thread_start (thread);
  w->begun_ns = g_get_monotonic_time () * 1000;
  push (w, (DubIngestItem){.kind = DUB_INGEST_ITEM_CONNECTED});
  return thread;
}

/* For longer than the delay: what is due waits, pictures as well, and nothing
 * of what comes meanwhile is lost. */
static void
test_waits_for_encoder (void)
{
  World w;
  g_autoptr (DubProgrammeThread) thread = begin (&w);
  guint pictures;
  gint64 frames;

  play (&w, 2 * DELAY_MS);
  g_assert_cmpuint (w.pictures, >, 0);
  w.uncoded_ns = DUB_NS_PER_S;
  play (&w, 100);
  pictures = w.pictures;
  frames = w.frames;
  play (&w, 1200);
  g_assert_cmpuint (w.pictures, ==, pictures);
  g_assert_cmpint (w.frames, ==, frames);

  w.uncoded_ns = 0;
  play (&w, 600);
  /* What came DELAY_MS ago has left, but for a round, and a slow machine. */
  g_assert_cmpint (w.frames, >, (w.sent_ms - 3 * DELAY_MS) * RATE / 1000);
  g_assert_cmpint (
      w.pictures, >, (guint) ((w.sent_ms - 3 * DELAY_MS) / STEP_MS));
  g_assert_cmpuint (w.silent, ==, 0);
  g_clear_pointer (&thread, dub_programme_thread_free);
  dub_queue_unref (w.queue);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/worker/programme-thread/waits-for-encoder",
      test_waits_for_encoder);
  return g_test_run ();
}
