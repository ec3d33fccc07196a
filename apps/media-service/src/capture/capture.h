/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <media_service/values.h>

/*
 * Keeps the segments of a stream on disk, to hear and to measure later:
 *
 *   FOLDER/streams/<stream>/runs/<run>/
 *     manifest.json            what is there: sizes, SHA-256, status
 *     assets/fragments/000007-12400-15900/
 *       in.wav                 the original              (media)
 *       out.wav                the dub, when it came     (media)
 *       fragment.json          times, texts, outcome
 *
 * The name is number-startMs-endMs. Each file is written beside its place,
 * synced and renamed, so what has its name is whole. Beyond max_bytes the
 * oldest runs of the stream go first, then the oldest fragments of this one.
 *
 * All of it happens on a thread of its own behind a bounded queue: a disk that
 * is slow, full or gone costs segments, which are counted, and a line of log
 * when it begins and when it ends; the programme never waits for it.
 *
 * new and free on the owner's thread; the rest from any.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_CAPTURE_OFF = 0,
  DUB_CAPTURE_METADATA, /* fragment.json only; texts, no sound */
  DUB_CAPTURE_MEDIA,
} DubCaptureMode;

typedef struct {
  DubCaptureMode mode;
  const char *folder;
  const char *stream_id;
  const char *run_id;
  guint64 max_bytes;
} DubCaptureOptions;

typedef struct {
  guint64 written; /* files */
  guint64 failed;  /* files that the disk did not take */
  guint64 dropped; /* segments and answers that found the queue full */
  guint64 bytes;   /* of this run, as it stands */
} DubCaptureStats;

typedef struct _DubCapture DubCapture;

/* Never fails: what the disk says is found out on the thread. */
DubCapture *dub_capture_new (const DubCaptureOptions *options);
/* Writes what waits, for at most a second, then ends. */
void dub_capture_free (DubCapture *self);

/* Takes a reference. */
void dub_capture_segment (DubCapture *self, const DubFragment *fragment);
void dub_capture_answer (DubCapture *self, const DubAnswer *answer);
void dub_capture_get_stats (DubCapture *self, DubCaptureStats *ret_stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubCapture, dub_capture_free)

G_END_DECLS
