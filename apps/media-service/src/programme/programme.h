/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <media_service/values.h>

/*
 * The programme of one stream: everything between ingest and publish, as pure
 * logic. What goes in is what happened and when; what comes out, through the
 * sinks, is what must be done now. It has no clock, thread, socket or file.
 *
 *   push_video ─▶ media clock ─▶ deque ─────────────────────▶ sinks.video
 *   push_sound ─▶ media clock ─▶ sound track ─▶ store ─▶ mix ▶ sinks.sound
 *                                     │                   ▲
 *                                     ├─▶ sinks.heard     │ dubs by pts
 *   push_mark ──▶ segmenter ─▶ tracker ─▶ sinks.fragment  │
 *   push_answer ──────────────▶ tracker ──────────────────┘
 *
 * "now" is CLOCK_MONOTONIC in nanoseconds. In a push it is the time of arrival,
 * so it may be a little older than that of the last run. Media time is
 * ns from the first key frame; media samples count from there at the
 * programme's rate (frame n is at n / rate_hz seconds).
 *
 * What is pushed is only queued and bookkept, apart from sinks.heard, .fragment
 * and .event, which may be called inside a push. Pictures and sound leave in
 * run () only. Sinks must not call back into the programme. Every push takes
 * its value (transfer full). All memory is bounded (DUB_PROGRAMME_MAX_*).
 *
 * One thread (the programme thread); it is not locked.
 */
G_BEGIN_DECLS

/* The fixed limits. What is over them is refused, and counted. */
#define DUB_PROGRAMME_MAX_VIDEO_BYTES ((gsize) 256 << 20)
#define DUB_PROGRAMME_MAX_VIDEO_UNITS 8192
#define DUB_PROGRAMME_MAX_SOUND_NS (60 * DUB_NS_PER_S)
#define DUB_PROGRAMME_MAX_DUBS 32
#define DUB_PROGRAMME_MAX_DUB_NS (60 * DUB_NS_PER_S) /* one dubbed segment */
#define DUB_PROGRAMME_MAX_FRAGMENTS 32 /* waiting for a place in flight */

/* Below this delay no engine can answer in time: pass-through, no segments. */
#define DUB_PROGRAMME_MIN_DUB_DELAY_NS (4500 * DUB_NS_PER_MS)

typedef enum {
  DUB_MIX_NONE = 0,
  DUB_MIX_LOWER,  /* the original is lowered by duck_db under the dub */
  DUB_MIX_REMOVE, /* the original is silent under the dub */
} DubMixMode;

/* What sounds in a slot whose dub failed. */
typedef enum {
  DUB_FALLBACK_NONE = 0,
  DUB_FALLBACK_PASS_THROUGH,
  DUB_FALLBACK_DUCKED_ORIGINAL,
  DUB_FALLBACK_SILENCE,
} DubFallbackMode;
/* "pass-through", "ducked-original", "silence"; "last-good-dub" acts as
 * pass-through. FALSE for other names. */
gboolean dub_fallback_mode_parse (const char *text, DubFallbackMode *ret_mode);

/* What goes out when the buffer has run empty. */
typedef enum {
  DUB_SOURCE_LOSS_NONE = 0,
  DUB_SOURCE_LOSS_HOLD,    /* silence, and the last key frame each second */
  DUB_SOURCE_LOSS_SILENCE, /* silence only */
  DUB_SOURCE_LOSS_CLOSE,   /* nothing, after DUB_EVENT_DRAINED */
} DubSourceLoss;
gboolean dub_source_loss_parse (const char *text, DubSourceLoss *ret_loss);

typedef enum {
  DUB_SEGMENT_MODE_NONE = 0, /* no segments at all: pass-through */
  DUB_SEGMENT_MODE_SPEECH,
  DUB_SEGMENT_MODE_FIXED, /* max_segment_ns each, without marks */
} DubSegmentMode;

typedef struct {
  guint rate_hz;          /* 48000; tests use less. Stereo always */
  guint block_frames;     /* length of a rendered block: 1024 */
  gint64 output_delay_ns; /* 8 s */
  gint64 lead_ns;         /* sound leaves this much before its picture: 0 */
  gint64 max_dub_lag_ns;  /* 1.5 s */
  DubMixMode mix_mode;    /* lower */
  double duck_db;         /* -18 */
  gint64 duck_down_ns;    /* 50 ms */
  gint64 duck_up_ns;      /* 300 ms */
  gint64 dub_fade_ns;     /* 8 ms, at both ends of a dub */
  DubFallbackMode fallback_mode; /* pass-through */
  DubSourceLoss source_loss;     /* hold */
  DubSegmentMode segment_mode;   /* speech */
  gint64 pause_ns;               /* 400 ms of no speech end a segment */
  gint64 min_segment_ns;         /* 1 s */
  gint64 max_segment_ns;         /* 5 s; see dub_programme_max_segment_ns () */
  gint64 segment_bytes;          /* of its sound, at most: 10 MiB */
  guint max_inflight;            /* 3 */
  gint64 fragment_timeout_ns;    /* 8 s */
  guint breaker_failures;        /* in a row; 0: 5 */
  gint64 breaker_open_ns;        /* 0: 30 s */
  gboolean is_file; /* nothing is live: file_clock.h says when media leaves */
} DubProgrammeParams;

void dub_programme_params_init (DubProgrammeParams *params);

typedef enum {
  DUB_EVENT_NONE = 0,
  DUB_EVENT_STARTED,       /* the first key frame is in; media time runs */
  DUB_EVENT_EPOCH,         /* source time jumped or restarted; media_ns */
  DUB_EVENT_SOUND_GAP,     /* duration_ns of silence put in at media_ns */
  DUB_EVENT_SOUND_OVERLAP, /* duration_ns dropped at media_ns */
  DUB_EVENT_VIDEO_DROPPED, /* detail says why */
  DUB_EVENT_SOUND_DROPPED,
  DUB_EVENT_SEGMENT,       /* cut: detail is the reason, media_ns, duration */
  DUB_EVENT_FRAGMENT_SENT, /* fragment_id, number */
  DUB_EVENT_FALLBACK,      /* its slot keeps the original; detail: reason */
  /* A dub is there: fragment_id, media_ns, duration_ns of its slot; lag_ns past
   * the moment at which the slot leaves, mostly less than 0 */
  DUB_EVENT_ANSWERED,
  DUB_EVENT_ANSWER_IGNORED, /* detail: late, duplicate, unknown */
  DUB_EVENT_DUB_STARTED,    /* fragment_id, media_ns; lag_ns late */
  DUB_EVENT_DUB_HEARD,      /* the whole of it has been rendered */
  DUB_EVENT_DUB_DROPPED,    /* detail: lag, too_long, empty, full, discarded */
  DUB_EVENT_HOLD_BEGIN,     /* the buffer ran empty */
  DUB_EVENT_HOLD_END,
  DUB_EVENT_BREAKER, /* detail: closed, half-open, open */
  DUB_EVENT_DRAINED, /* all that was taken in has left; end the output */
} DubProgrammeEventType;
const char *dub_programme_event_type_to_string (DubProgrammeEventType type);

/* Valid during the call. Fields that do not apply are 0 or NULL. detail is a
 * static lower-case word, fit for a metric label. */
typedef struct {
  DubProgrammeEventType type;
  gint64 media_ns;
  gint64 duration_ns;
  gint64 lag_ns;
  guint64 number;
  const char *fragment_id;
  const char *detail;
  const DubFragment *fragment; /* SEGMENT, FRAGMENT_SENT, FALLBACK */
  const DubAnswer *answer;     /* DUB_STARTED */
} DubProgrammeEvent;

/* All are called on the programme thread. Values are (transfer full). */
typedef struct {
  /* Leaves now. Media pts and dts; dts rises and is <= pts, and >= 0. The
   * first one is a key frame, and so is the first after any dropped one.
   * codec_data is there where it is new or has changed. */
  void (*video) (DubAccessUnit *unit, gpointer user_data);
  /* Leaves now. Stereo at rate_hz, one block after the other without gap or
   * overlap; pts_ns is media time. */
  void (*sound) (DubPcm *pcm, gpointer user_data);
  /* Original sound, for the speech detector; first_frame in media samples
   * rises, and may jump forward where the source had a hole. */
  void (*heard) (DubPcm *pcm, gint64 first_frame, gpointer user_data);
  /* Send it to the STS service now. */
  void (*fragment) (DubFragment *fragment, gpointer user_data);
  void (*event) (const DubProgrammeEvent *event, gpointer user_data);
} DubProgrammeSinks;

/* Counters since the start, and the gauges of the moment. */
typedef struct {
  guint64 video_in, video_out, video_repeated;
  guint64 video_dropped_late, video_dropped_key_wait, video_dropped_full;
  guint64 video_dropped_early;   /* to keep the delay */
  guint64 video_dropped_invalid; /* before the start, or no usable time */
  guint64 sound_frames_in, sound_frames_out; /* media samples */
  guint64 sound_frames_silent;  /* put out where there was no original */
  guint64 sound_frames_dropped; /* late, overlapping, before the start */
  guint64 sound_gaps, sound_overlaps, sound_resampled_frames;
  guint64 sound_corrections; /* gaps, overlaps, runs of resampling */
  guint64 epochs;
  guint64 video_keys_out, video_bytes_out;
  guint64 segments_short; /* widened to the shortest length */
  guint64 segments_silence, segments_max, segments_memory, segments_eos;
  guint64 segment_frames, dubbed_frames; /* coverage = dubbed / segment */
  guint64 fragments_sent, answers_ok, answers_failed;
  guint64 answers_late, answers_duplicate, answers_unknown;
  guint64 fallback_timeout, fallback_failed, fallback_overload;
  guint64 fallback_disconnected, fallback_not_ready, fallback_gone;
  guint64 fallback_breaker, breaker_failures, breaker_transitions;
  guint64 dubs_heard, dubs_dropped_lag, dubs_dropped_other;
  guint64 holds;
  /* gauges */
  gint64 video_buffered_ns, sound_buffered_ns;
  gint64 sound_offset_ns; /* of the original's sound against its pictures */
  gint64 segment_open_ns; /* of the segment that is being collected */
  gsize video_buffered_bytes;
  guint video_units, dubs_waiting, fragments_waiting, fragments_inflight;
  gint64 answer_p95_ns;
  guint breaker_state;    /* 0 closed, 1 half-open, 2 open */
  gint64 clock_offset_ns; /* departure clock: arrival - media time */
  gint64 media_ns;        /* what leaves now; DUB_TIME_NONE before the start */
  gboolean is_holding, is_source_lost;
} DubProgrammeStats;

typedef enum {
  DUB_STS_NONE = 0, /* not configured: every slot keeps its original */
  DUB_STS_LOST,     /* not connected */
  DUB_STS_READY,
  DUB_STS_PAUSED, /* connected; send nothing new for now */
} DubStsState;

typedef struct _DubProgramme DubProgramme;

/* The longest segment that can be answered at this delay: the smaller of
 * max_segment_ns and output_delay_ns - 3 s; 0 when the delay is below
 * DUB_PROGRAMME_MIN_DUB_DELAY_NS (then the programme passes through). */
gint64 dub_programme_max_segment_ns (const DubProgrammeParams *params);

/* sinks and params are copied; NULL sinks are allowed (values are dropped). */
DubProgramme *dub_programme_new (const DubProgrammeParams *params,
    const DubProgrammeSinks *sinks, gpointer user_data);
void dub_programme_free (DubProgramme *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubProgramme, dub_programme_free)

/* --- the source; times of the values are source time --- */
/* A new connection begins: its times have nothing to do with the last ones.
 * Media goes on at the time that has really passed, at its first key frame. */
void dub_programme_source_reset (DubProgramme *self, gint64 now_ns);
/* in decode order; dts_ns may be DUB_TIME_NONE */
void dub_programme_push_video (
    DubProgramme *self, DubAccessUnit *unit, gint64 now_ns);
/* 1 or 2 channels at rate_hz, any length up to 1 s; pts_ns may be
 * DUB_TIME_NONE: follows the last one */
void dub_programme_push_sound (DubProgramme *self, DubPcm *pcm, gint64 now_ns);
/* The connection is gone; what is buffered still plays. */
void dub_programme_source_lost (DubProgramme *self, gint64 now_ns);
/* Nothing more will come: plays out what it has, then DUB_EVENT_DRAINED. */
void dub_programme_source_ended (DubProgramme *self, gint64 now_ns);

/* --- speech --- */
/* One window of the detector: [first_frame, first_frame + frames) in media
 * samples as given to sinks.heard, in order. The 64 ms of speech that start a
 * segment, the pause and the margins are the segmenter's. level_db: RMS, for
 * the quietest point of a forced cut. */
void dub_programme_push_mark (DubProgramme *self, gint64 first_frame,
    gint64 frames, gboolean is_speech, double level_db, gint64 now_ns);

/* --- speech to speech --- */
/* max_inflight: the server's, 0 for no opinion. send_delay_ns: least time
 * between two fragments ("slow_down"), 0 for none. */
void dub_programme_set_sts (DubProgramme *self, DubStsState state,
    guint max_inflight, gint64 send_delay_ns, gint64 now_ns);
void dub_programme_push_answer (
    DubProgramme *self, DubAnswer *answer, gint64 now_ns);

/* --- settings that may change on air --- */
void dub_programme_set_mix (
    DubProgramme *self, DubMixMode mode, double duck_db);
void dub_programme_set_fallback (DubProgramme *self, DubFallbackMode mode);

/* --- file mode: the source waits for us --- */
/* May the next of the source come in? Bounds what is held; FALSE until the
 * detector, or an answer, has caught up. */
gboolean dub_programme_has_room (const DubProgramme *self);
/* All that was heard has its mark, but for what the detector keeps back (less
 * than 250 ms): the source may be ended. */
gboolean dub_programme_is_judged (const DubProgramme *self);

/* Does all that is due, and returns when to call again at the latest
 * (G_MAXINT64: only after a push). Call it after pushes, too: what they
 * brought may be due earlier. */
gint64 dub_programme_run (DubProgramme *self, gint64 now_ns);

void dub_programme_get_stats (
    const DubProgramme *self, DubProgrammeStats *ret_stats);

G_END_DECLS
