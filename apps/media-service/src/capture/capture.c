/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include "capture_writer.h"

#include <dubbing_common/log.h>
#include <dubbing_common/queue.h>
#include <stdatomic.h>

#define MAX_ITEMS 64
#define MAX_COST (G_GUINT64_CONSTANT (32) << 20)
/* Lines of log that wait for the disk. */
#define MAX_LINES ((gsize) 256 << 10)
/* At the end the disk gets so long for what waits. */
#define END_US G_USEC_PER_SEC
/* The log and the manifest are looked after so often. */
#define ROUND_US (G_USEC_PER_SEC / 2)

/* One of the three. */
typedef struct {
  DubFragment *fragment;
  DubAnswer *answer;
  DubCaptureNote note;
  gint64 at_us; /* Unix time */
} Item;

struct _DubCapture {
  /* immutable */
  DubQueue *queue;
  GThread *thread;
  gboolean has_log;

  /* the capture thread only, once it runs */
  DubCaptureWriter *writer;
  guint64 told_dropped;

  GMutex lock;
  /* protected by lock, which is taken under the log's */
  GString *lines;
  guint64 lost_lines;

  /* any thread */
  _Atomic gint64 end_us; /* 0: not asked to end */
  _Atomic guint64 written;
  _Atomic guint64 failed;
  _Atomic guint64 given_up; /* at the end */
  _Atomic guint64 bytes;
};

static void
item_free (gpointer data)
{
  Item *item = data;

  g_clear_pointer (&item->fragment, dub_fragment_unref);
  g_clear_pointer (&item->answer, dub_answer_unref);
  g_free ((char *) item->note.fragment_id);
  g_free ((char *) item->note.detail);
  g_free (item);
}

/* -- the capture thread -------------------------------------------------- */

static void
tell_stats (DubCapture *self)
{
  DubCaptureStats stats;

  dub_capture_writer_get_stats (self->writer, &stats);
  self->written = stats.written;
  self->failed = stats.failed + self->given_up;
  self->bytes = stats.bytes;
}

static gboolean
is_out_of_time (DubCapture *self)
{
  return self->end_us != 0 && g_get_monotonic_time () > self->end_us;
}

static void
take (DubCapture *self, const Item *item)
{
  if (is_out_of_time (self))
    self->given_up++;
  else if (item->fragment)
    dub_capture_writer_segment (self->writer, item->fragment);
  else if (item->answer)
    dub_capture_writer_answer (self->writer, item->answer, item->at_us);
  else
    dub_capture_writer_note (self->writer, &item->note, item->at_us);
}

static void
write_lines (DubCapture *self)
{
  g_autoptr (GString) lines = NULL;

  g_mutex_lock (&self->lock);
  if (self->lines->len > 0) {
    lines = self->lines;
    self->lines = g_string_new (NULL);
  }
  g_mutex_unlock (&self->lock);
  if (lines)
    dub_capture_writer_log (self->writer, lines->str);
}

static void
settle (DubCapture *self, gboolean is_last)
{
  DubQueueStats queue;

  if (is_out_of_time (self))
    return;
  dub_queue_get_stats (self->queue, &queue);
  dub_capture_writer_lost (self->writer, queue.dropped - self->told_dropped);
  self->told_dropped = queue.dropped;
  dub_capture_writer_settle (self->writer, is_last);
  write_lines (self);
}

static gpointer
run (gpointer data)
{
  DubCapture *self = data;
  gboolean is_closed = FALSE;

  while (!is_closed) {
    Item *item = dub_queue_pop_wait (self->queue, ROUND_US);

    is_closed = !item && dub_queue_is_closed (self->queue);
    if (item) {
      take (self, item);
      item_free (item);
    }
    settle (self, is_closed);
    tell_stats (self);
  }
  return NULL;
}

/* -- from outside -------------------------------------------------------- */

/* Under the log's lock: only memory is touched. */
static void
on_line (DubLogLevel level, const char *line, gpointer user_data)
{
  DubCapture *self = user_data;

  g_mutex_lock (&self->lock);
  if (self->lines->len < MAX_LINES) {
    g_string_append (self->lines, line);
    g_string_append_c (self->lines, '\n');
  } else {
    self->lost_lines++;
  }
  g_mutex_unlock (&self->lock);
}

DubCapture *
dub_capture_new (const DubCaptureOptions *options)
{
  DubCapture *self = g_new0 (DubCapture, 1);

  g_mutex_init (&self->lock);
  self->lines = g_string_new (NULL);
  self->writer = dub_capture_writer_new (options);
  self->queue = dub_queue_new (
      "capture", MAX_ITEMS, MAX_COST, DUB_QUEUE_REFUSE, item_free);
  self->thread = g_thread_new ("capture", run, self);
  self->has_log = options->has_log;
  if (self->has_log)
    dub_log_set_tee (on_line, self);
  return self;
}

void
dub_capture_free (DubCapture *self)
{
  if (!self)
    return;
  if (self->has_log)
    dub_log_set_tee (NULL, NULL);
  self->end_us = g_get_monotonic_time () + END_US;
  dub_queue_close (self->queue);
  g_thread_join (self->thread);
  dub_capture_writer_free (self->writer);
  dub_queue_unref (self->queue);
  g_string_free (self->lines, TRUE);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static Item *
item_new (void)
{
  Item *item = g_new0 (Item, 1);

  item->at_us = g_get_real_time ();
  return item;
}

void
dub_capture_segment (DubCapture *self, const DubFragment *fragment)
{
  Item *item = item_new ();

  item->fragment = dub_fragment_ref ((DubFragment *) fragment);
  dub_queue_push (self->queue, item, g_bytes_get_size (fragment->pcm->bytes));
}

void
dub_capture_answer (DubCapture *self, const DubAnswer *answer)
{
  Item *item = item_new ();

  item->answer = dub_answer_ref ((DubAnswer *) answer);
  dub_queue_push (self->queue, item,
      answer->pcm ? g_bytes_get_size (answer->pcm->bytes) : 1);
}

void
dub_capture_note (DubCapture *self, const DubCaptureNote *note)
{
  Item *item = item_new ();

  item->note = *note;
  item->note.fragment_id = g_strdup (note->fragment_id);
  item->note.detail = g_strdup (note->detail);
  dub_queue_push (self->queue, item, 1);
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
