/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/clock.h>
#include <dubbing_common/pcm.h>

/*
 * The values that flow through a worker, left to right:
 *
 *   ingest -> programme -> publish        access units, PCM
 *   programme -> sts -> programme         fragments, answers
 *
 * Each is immutable once pushed and atomically reference-counted; a push
 * gives the caller's reference away. Times: "source" is the demuxer's clock,
 * "media" the programme's own (ns from the first key frame, across every
 * reconnect), "now" and deadlines CLOCK_MONOTONIC. No GStreamer type here.
 */
G_BEGIN_DECLS

#define DUB_PROGRAMME_RATE_HZ 48000
#define DUB_PROGRAMME_CHANNELS 2

typedef enum {
  DUB_VIDEO_CODEC_NONE = 0,
  DUB_VIDEO_CODEC_H264, /* data: AVC, 4-byte lengths; config: avcC */
  DUB_VIDEO_CODEC_H265, /* data: HEVC, 4-byte lengths; config: hvcC */
} DubVideoCodec;

/* One coded picture, as it came. */
typedef struct {
  gatomicrefcount ref_count;
  DubVideoCodec codec;
  GBytes *data;
  GBytes *codec_data;  /* (nullable): only where it is new or has changed */
  gint64 pts_ns;       /* source time before the programme, media time after */
  gint64 dts_ns;       /* DUB_TIME_NONE: the source gave none */
  gint64 duration_ns;  /* 0 when unknown */
  guint width, height; /* 0 when unknown */
  gboolean is_key;
} DubAccessUnit;

/* data, codec_data: (transfer full) */
DubAccessUnit *dub_access_unit_new (DubVideoCodec codec, GBytes *data,
    GBytes *codec_data, gint64 pts_ns, gint64 dts_ns, gboolean is_key);
/* The same picture at other times. */
DubAccessUnit *dub_access_unit_retimed (
    const DubAccessUnit *unit, gint64 pts_ns, gint64 dts_ns);
DubAccessUnit *dub_access_unit_ref (DubAccessUnit *unit);
void dub_access_unit_unref (DubAccessUnit *unit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubAccessUnit, dub_access_unit_unref)

typedef enum {
  DUB_CUT_NONE = 0,
  DUB_CUT_SILENCE,
  DUB_CUT_MAX_DURATION,
  DUB_CUT_MEMORY_LIMIT,
  DUB_CUT_EOS,
} DubCutReason;
const char *dub_cut_reason_to_string (DubCutReason reason);

/* A speech segment on its way to be dubbed. */
typedef struct {
  gatomicrefcount ref_count;
  char *id;       /* UUIDv4 */
  guint64 number; /* of the stream, from 0; the batch number of logs */
  DubPcm *pcm;    /* 48 kHz, mono; its pts_ns is media time */
  DubCutReason reason;
  gint64 deadline_ns; /* monotonic: an answer after it is worth nothing */
  gint64 room_ns;     /* pause after the slot, as far as known at the cut */
} DubFragment;

/* pcm: (transfer full) */
DubFragment *dub_fragment_new (guint64 number, DubPcm *pcm, DubCutReason reason,
    gint64 deadline_ns, gint64 room_ns);
DubFragment *dub_fragment_ref (DubFragment *fragment);
void dub_fragment_unref (DubFragment *fragment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubFragment, dub_fragment_unref)

typedef enum {
  DUB_ANSWER_NONE = 0,
  DUB_ANSWER_SUCCESS,
  DUB_ANSWER_PARTIAL,
  DUB_ANSWER_FAILED, /* by the service, the link, or a result we cannot use */
} DubAnswerStatus;

/* How long it was in each stage of the speech service; -1: not told. */
typedef struct {
  gint64 stt_ms, translate_ms, tts_ms;
} DubStageTimes;

/* What became of a fragment. */
typedef struct {
  gatomicrefcount ref_count;
  char *fragment_id;
  DubAnswerStatus status;
  DubPcm *pcm;           /* 48 kHz, 1 or 2 channels; NULL: keep the original */
  char *transcript;      /* (nullable) */
  char *translated_text; /* (nullable) */
  char *error_code;      /* (nullable) as in the protocol: "TIMEOUT" */
  char *error_message;   /* (nullable) the service's own words for it */
  gboolean is_retryable;
  /* FAILED, and it says something about the service's health. */
  gboolean counts_for_breaker;
  DubStageTimes times;
} DubAnswer;

DubAnswer *dub_answer_new (const char *fragment_id, DubAnswerStatus status);
DubAnswer *dub_answer_ref (DubAnswer *answer);
void dub_answer_unref (DubAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubAnswer, dub_answer_unref)

G_END_DECLS
