/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/queue.h>

#include "../programme/programme.h"

/*
 * The thread that owns the programme. It sleeps until something is pushed or
 * due, takes everything in, runs the programme, and sleeps again. Only when the
 * encoder is behind, for want of CPU, does it let what is due wait: at most
 * 30 s, and then goes on at five times the pace.
 *
 *   ingest queue ─┐
 *   marks         ├─▶ programme ─▶ video, sound, heard   (on this thread)
 *   answers, set ─┘              └▶ fragments, events     (on the owner's)
 *
 * All functions on the owner's thread, unless said otherwise.
 */
G_BEGIN_DECLS

typedef struct {
  /* On the programme thread; must not block. Values are (transfer full). */
  void (*on_video_in) (const DubAccessUnit *unit, gpointer user_data);
  void (*on_video) (DubAccessUnit *unit, gpointer user_data);
  void (*on_sound) (DubPcm *pcm, gpointer user_data);
  /* How much of that sound waits to be coded. */
  gint64 (*get_uncoded_ns) (gpointer user_data);
  void (*on_heard) (DubPcm *pcm, gint64 first_frame, gpointer user_data);
  /* On the owner's thread. fragment (transfer full). */
  void (*on_fragment) (DubFragment *fragment, gpointer user_data);
  void (*on_event) (const DubProgrammeEvent *event, gpointer user_data);
} DubProgrammeThreadHandlers;

typedef struct _DubProgrammeThread DubProgrammeThread;

/* ingest: the queue of DubIngestItem that it reads. */
DubProgrammeThread *dub_programme_thread_new (const DubProgrammeParams *params,
    DubQueue *ingest, const DubProgrammeThreadHandlers *handlers,
    gpointer user_data);
void dub_programme_thread_start (DubProgrammeThread *self);
/* Ends and joins: no handler of the programme thread runs after it. */
void dub_programme_thread_stop (DubProgrammeThread *self);
/* Stops; no handler at all runs after it. */
void dub_programme_thread_free (DubProgrammeThread *self);

/* Any thread. answer (transfer full). */
void dub_programme_thread_push_answer (
    DubProgrammeThread *self, DubAnswer *answer);
/* Any thread. */
void dub_programme_thread_push_mark (DubProgrammeThread *self,
    gint64 first_frame, gint64 frames, gboolean is_speech, double level_db);
/* Any thread. */
void dub_programme_thread_set_sts (DubProgrammeThread *self, DubStsState state,
    guint max_inflight, gint64 send_delay_ns);
void dub_programme_thread_set_mix (
    DubProgrammeThread *self, DubMixMode mode, double duck_db);
void dub_programme_thread_set_fallback (
    DubProgrammeThread *self, DubFallbackMode mode);

/* As of a moment ago, and the measured delay of what left last, arrival to
 * departure, against OUTPUT_DELAY_MS. Any thread. */
void dub_programme_thread_get_stats (DubProgrammeThread *self,
    DubProgrammeStats *ret_stats, gint64 *ret_delay_ns);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubProgrammeThread, dub_programme_thread_free)

G_END_DECLS
