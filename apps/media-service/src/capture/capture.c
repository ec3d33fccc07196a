/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#define DUB_LOG_TOPIC "media.capture"
#include "run_folder.h"
#include "wav.h"

#include <dubbing_common/log.h>
#include <dubbing_common/queue.h>
#include <stdatomic.h>

#define MAX_ITEMS 64
#define MAX_COST (G_GUINT64_CONSTANT (32) << 20)
/* At the end the disk gets so long for what waits. */
#define END_US G_USEC_PER_SEC
/* An answer can come for as many of the last segments. */
#define MAX_OPEN 64

/* One of the two. */
typedef struct {
  DubFragment *fragment;
  DubAnswer *answer;
} Item;

struct _DubCapture {
  /* immutable */
  DubCaptureMode mode;
  DubQueue *queue;
  GThread *thread;

  /* the capture thread only, once it runs */
  DubRunFolder *folder;
  GQueue open; /* DubFragment: their answers may come */
  gboolean is_failing;

  /* any thread */
  _Atomic gint64 end_us; /* 0: not asked to end */
  _Atomic guint64 written;
  _Atomic guint64 failed;
  _Atomic guint64 bytes;
};

static void
item_free (gpointer data)
{
  Item *item = data;

  g_clear_pointer (&item->fragment, dub_fragment_unref);
  g_clear_pointer (&item->answer, dub_answer_unref);
  g_free (item);
}

/* -- the capture thread -------------------------------------------------- */

/* A disk that fails is told of once, and once more when it has recovered. */
static void
note_result (DubCapture *self, const GError *error)
{
  if (error)
    self->failed++;
  else
    self->written++;
  if (error && !self->is_failing)
    dub_warning ("segments cannot be kept: %s", error->message);
  if (!error && self->is_failing)
    dub_info ("segments are kept again");
  self->is_failing = error != NULL;
}

static void
write_asset (DubCapture *self, const DubFragment *fragment, const char *name,
    GBytes *bytes)
{
  g_autoptr (GError) error = NULL;
  DubRunAsset asset = {
      .number = fragment->number,
      .start_ms = fragment->pcm->pts_ns / DUB_NS_PER_MS,
      .end_ms = (fragment->pcm->pts_ns + dub_pcm_duration_ns (fragment->pcm)) /
                DUB_NS_PER_MS,
      .name = name,
      .bytes = bytes,
  };

  dub_run_folder_write (self->folder, &asset, &error);
  note_result (self, error);
  self->bytes = dub_run_folder_get_bytes (self->folder);
}

static void
write_sound (DubCapture *self, const DubFragment *fragment, const char *name,
    const DubPcm *pcm)
{
  g_autoptr (GBytes) wav = NULL;

  if (self->mode != DUB_CAPTURE_MEDIA || !pcm)
    return;
  wav = dub_wav_new (pcm);
  write_asset (self, fragment, name, wav);
}

static void
write_metadata (
    DubCapture *self, const DubFragment *fragment, const DubAnswer *answer)
{
  g_autoptr (GBytes) json = dub_run_fragment_json (fragment, answer);

  write_asset (self, fragment, "fragment.json", json);
}

static void
take_segment (DubCapture *self, DubFragment *fragment)
{
  write_sound (self, fragment, "in.wav", fragment->pcm);
  write_metadata (self, fragment, NULL);
  g_queue_push_tail (&self->open, dub_fragment_ref (fragment));
  if (self->open.length > MAX_OPEN)
    dub_fragment_unref (g_queue_pop_head (&self->open));
}

static DubFragment *
find_open (DubCapture *self, const char *id)
{
  for (GList *l = self->open.head; l; l = l->next)
    if (g_str_equal (((DubFragment *) l->data)->id, id))
      return l->data;
  return NULL;
}

static void
take_answer (DubCapture *self, const DubAnswer *answer)
{
  DubFragment *fragment = find_open (self, answer->fragment_id);

  if (!fragment)
    return;
  write_sound (self, fragment, "out.wav", answer->pcm);
  write_metadata (self, fragment, answer);
  g_queue_remove (&self->open, fragment);
  dub_fragment_unref (fragment);
}

static gboolean
is_out_of_time (DubCapture *self)
{
  return self->end_us != 0 && g_get_monotonic_time () > self->end_us;
}

static gpointer
run (gpointer data)
{
  DubCapture *self = data;
  Item *item;

  while ((item = dub_queue_pop_wait (self->queue, -1))) {
    if (is_out_of_time (self))
      self->failed++;
    else if (item->fragment)
      take_segment (self, item->fragment);
    else
      take_answer (self, item->answer);
    item_free (item);
  }
  return NULL;
}

/* -- from outside -------------------------------------------------------- */

DubCapture *
dub_capture_new (const DubCaptureOptions *options)
{
  DubCapture *self = g_new0 (DubCapture, 1);

  self->mode = options->mode;
  self->folder = dub_run_folder_new (
      options->folder, options->stream_id, options->run_id, options->max_bytes);
  g_queue_init (&self->open);
  self->queue = dub_queue_new (
      "capture", MAX_ITEMS, MAX_COST, DUB_QUEUE_REFUSE, item_free);
  self->thread = g_thread_new ("capture", run, self);
  return self;
}

void
dub_capture_free (DubCapture *self)
{
  if (!self)
    return;
  self->end_us = g_get_monotonic_time () + END_US;
  dub_queue_close (self->queue);
  g_thread_join (self->thread);
  g_queue_clear_full (&self->open, (GDestroyNotify) dub_fragment_unref);
  dub_run_folder_free (self->folder);
  dub_queue_unref (self->queue);
  g_free (self);
}

void
dub_capture_segment (DubCapture *self, const DubFragment *fragment)
{
  Item *item = g_new0 (Item, 1);

  item->fragment = dub_fragment_ref ((DubFragment *) fragment);
  dub_queue_push (self->queue, item, g_bytes_get_size (fragment->pcm->bytes));
}

void
dub_capture_answer (DubCapture *self, const DubAnswer *answer)
{
  Item *item = g_new0 (Item, 1);

  item->answer = dub_answer_ref ((DubAnswer *) answer);
  dub_queue_push (self->queue, item,
      answer->pcm ? g_bytes_get_size (answer->pcm->bytes) : 1);
}

void
dub_capture_get_stats (DubCapture *self, DubCaptureStats *ret_stats)
{
  DubQueueStats queue;

  dub_queue_get_stats (self->queue, &queue);
  *ret_stats = (DubCaptureStats){
      .written = self->written,
      .failed = self->failed,
      .dropped = queue.dropped,
      .bytes = self->bytes,
  };
}
