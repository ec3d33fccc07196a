/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/clock.h>
#include <json-glib/json-glib.h>

/*
 * What stands between a session and the work on a fragment. The session keeps
 * order, limits and the wire; a processor turns one job into one result. There
 * are two: echo, which gives back what it got, and the pipeline (decode,
 * recognise, translate, synthesise, fit, encode).
 *
 * Main thread only. submit never blocks; done is called exactly once per job,
 * later, on the main context, in any order.
 */
G_BEGIN_DECLS

/* Sound as it travels: bytes and what is said of them. */
typedef struct {
  char *format; /* "m4a", "pcm_s16le", ... */
  guint sample_rate_hz;
  guint channels;
  guint duration_ms;
  GBytes *data;
} DubSound;

typedef struct {
  char *stream_id;
  char *fragment_id;
  guint64 sequence_number;
  char *source_language; /* "auto": let the recogniser find out */
  char *target_language;
  char *voice_profile;
  char *domain; /* (nullable) */
  char **hints; /* domain_hints, as the stream gave them (nullable) */
  DubSound sound;
  guint room_ms;       /* pause known to follow the slot */
  gint64 deadline_ns;  /* monotonic; work on it stops there */
  char *reply_format;  /* "m4a" or "pcm_s16le" */
  guint reply_rate_hz; /* of the session */
  guint reply_channels;
} DubJob;

DubJob *dub_job_new (void);
void dub_job_free (DubJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubJob, dub_job_free)

typedef enum {
  DUB_RESULT_NONE = 0,
  DUB_RESULT_SUCCESS,
  DUB_RESULT_PARTIAL,
  DUB_RESULT_FAILED,
} DubResultStatus;

typedef struct {
  DubResultStatus status;
  DubSound sound;   /* data NULL when failed */
  char *transcript; /* (nullable) */
  /* When its words were said, as asr/word_times.h has them. (nullable) */
  JsonArray *words;
  char *translated_text; /* (nullable) */
  /* Who did it, "whisper"; NULL: nobody had to. */
  char *asr_engine, *translation_engine, *tts_engine;
  guint asr_ms, translation_ms, tts_ms, total_ms;
  guint original_duration_ms, dubbed_duration_ms; /* of speech, not padding */
  double duration_variance_percent; /* too long for slot and room; else 0 */
  double speed_ratio;               /* 1.0: as synthesised */
  char *error_stage;   /* "asr", "translation", "tts", "pipeline" (nullable) */
  char *error_code;    /* of protocol 3.8 (nullable) */
  char *error_message; /* (nullable) */
  gboolean is_retryable;
} DubResult;

DubResult *dub_result_new (void);
void dub_result_free (DubResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubResult, dub_result_free)

/* result (transfer full) */
typedef void (*DubDoneFunc) (DubResult *result, gpointer user_data);

typedef struct _DubProcessor DubProcessor;
struct _DubProcessor {
  const char *name;
  /* job (transfer full) */
  void (*submit) (
      DubProcessor *self, DubJob *job, DubDoneFunc done, gpointer user_data);
  /* Can it serve now? FALSE with the reason for /health/ready. */
  gboolean (*is_ready) (DubProcessor *self, GError **error);
  /* May a session ask for this? error names what is wrong; its code becomes
   * that of the refusal: NOT_FOUND a voice that is not there, UNSUPPORTED a
   * language, all else the settings. */
  gboolean (*check) (DubProcessor *self, const char *source_language,
      const char *target_language, const char *voice_profile, GError **error);
  void (*free) (DubProcessor *self);
  /* Nobody waits any more for what was submitted with user_data: done comes
   * from inside, and what had not begun is not begun. (nullable): it ends by
   * itself. */
  void (*cancel) (DubProcessor *self, gpointer user_data);
};

G_END_DECLS
