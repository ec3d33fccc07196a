/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <media_service/values.h>

/*
 * Keeps what became of a stream on disk, to hear and to measure later:
 *
 *   FOLDER/streams/<stream>/runs/<run>/
 *     manifest.json             whose run, its fragments, sizes, SHA-256
 *     manifest.history/         earlier ones, by time; the last 16
 *     assets/fragments/000007-12400-15900/
 *       in.wav, in.pcm          the original            (media; pcm in debug)
 *       out.wav                 the dub, when it came   (media)
 *       stt.json, tts.json      what was heard, what was said
 *       timing.json             times, why it was cut, what became of it
 *     assets/alerts/<time>-<kind>.json
 *     captions.<lang>.vtt       the same as WebVTT, original and dub
 *     logs/worker.log           this process's lines
 *     tmp/                      files on their way
 *
 * A fragment's name is number-startMs-endMs. Each file is written into tmp/,
 * synced and renamed, so what has its name is whole; logs and captions grow.
 * Runs older than max_age_s go; beyond max_bytes the oldest runs of the stream
 * go first, then the oldest fragments of this one.
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
  DUB_CAPTURE_METADATA, /* texts and times; no sound */
  DUB_CAPTURE_MEDIA,
  DUB_CAPTURE_DEBUG, /* the sound without a header as well */
} DubCaptureMode;

typedef struct {
  DubCaptureMode mode;
  const char *folder;
  const char *stream_id;
  const char *run_id;
  guint64 max_bytes;
  /* what follows may be left out */
  const char *instance_id;            /* of this process */
  const char *input_url, *output_url; /* their keys are not shown */
  const char *source_language, *target_language;
  gint64 delay_ms;
  gint64 max_age_s; /* 0: runs stay for ever */
  gboolean has_log; /* logs/worker.log: one capture of a process may */
} DubCaptureOptions;

typedef struct {
  guint64 written; /* files */
  guint64 failed;  /* files that the disk did not take */
  guint64 dropped; /* segments and answers that found the queue full */
  guint64 bytes;   /* of this run, as it stands */
} DubCaptureStats;

typedef enum {
  DUB_CAPTURE_NOTE_NONE = 0,
  DUB_CAPTURE_NOTE_SENT,
  DUB_CAPTURE_NOTE_STARTED,  /* its dub: at media_ns */
  DUB_CAPTURE_NOTE_HEARD,    /* all of it */
  DUB_CAPTURE_NOTE_DROPPED,  /* detail */
  DUB_CAPTURE_NOTE_FALLBACK, /* detail: the reason */
  DUB_CAPTURE_NOTE_ALERT,    /* of no fragment: detail is its kind */
} DubCaptureNoteType;

typedef struct {
  DubCaptureNoteType type;
  const char *fragment_id; /* (nullable) */
  const char *detail;      /* (nullable) */
  gint64 media_ns;
} DubCaptureNote;

typedef struct _DubCapture DubCapture;

/* Never fails: what the disk says is found out on the thread. */
DubCapture *dub_capture_new (const DubCaptureOptions *options);
/* Writes what waits, for at most a second, then ends. */
void dub_capture_free (DubCapture *self);

/* Takes a reference. */
void dub_capture_segment (DubCapture *self, const DubFragment *fragment);
void dub_capture_answer (DubCapture *self, const DubAnswer *answer);
/* Copies it. */
void dub_capture_note (DubCapture *self, const DubCaptureNote *note);
void dub_capture_get_stats (DubCapture *self, DubCaptureStats *ret_stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubCapture, dub_capture_free)

G_END_DECLS
