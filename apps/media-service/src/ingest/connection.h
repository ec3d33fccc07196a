/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/clock.h>
#include <dubbing_common/queue.h>
#include <gst/gst.h>

/*
 * One connection to a source: one pipeline, from its making to its end.
 *
 *   rtmp2src ! flvdemux .video ! appsink            (coded, as it came)
 *                       .audio ! decoder ! audioconvert ! audioresample
 *                              ! appsink            (S16LE, 48 kHz, stereo)
 *
 * Made, watched and freed by the ingest's thread. The streaming thread fills
 * the queue and the few atomic counters below; it touches nothing else.
 */
G_BEGIN_DECLS

typedef struct _DubConnection DubConnection;

/* url: one that dub_connection_check_url () accepts. No packet flows before
 * dub_connection_start (). is_fast: a file comes as fast as the queue is read,
 * and waits while some thousand items are in it. */
DubConnection *dub_connection_new (
    const char *url, gboolean is_fast, DubQueue *queue, GError **error);
gboolean dub_connection_check_url (const char *url, GError **error);
/* Stops the pipeline and waits for its threads. */
void dub_connection_free (DubConnection *self);

/* Both on this thread's main context. */
typedef struct {
  /* The first packet is there. */
  void (*on_packets) (gpointer user_data);
  /* Once; error is NULL at the end of a stream that ended by itself. */
  void (*on_end) (const GError *error, gpointer user_data);
} DubConnectionFuncs;
/* funcs: static. */
void dub_connection_start (
    DubConnection *self, const DubConnectionFuncs *funcs, gpointer user_data);

typedef struct {
  gint64 started_ns;
  gint64 first_packet_ns; /* DUB_TIME_NONE before it */
  gint64 last_packet_ns;  /* started_ns before the first */
  guint64 n_video;
  guint64 n_sound;
  gboolean has_sound_track; /* seen by the demuxer */
  gboolean has_video_track;
} DubConnectionStats;
/* Any thread. */
void dub_connection_get_stats (
    DubConnection *self, DubConnectionStats *ret_stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubConnection, dub_connection_free)

G_END_DECLS
