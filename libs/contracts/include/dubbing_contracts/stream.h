/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/limits.h>
#include <json-glib/json-glib.h>

/*
 * The events of a stream's life: init, ready, pause, resume, end, complete.
 *
 * ..._from_json () is tolerant: null is absent, integers may come as "5", 5.0
 * or true, unknown fields are passed over, the flat dialect and the aliases
 * are understood. A stream's id is letters, figures, _ and -, as in every path
 * and file that it may come to name. A field that breaks its rules gives
 * DUB_ERROR_INVALID or DUB_ERROR_LIMIT with a message that begins with the
 * field's name.
 * ..._to_json () is strict: absent values are left out, never null.
 *
 * Plain values; any thread, one at a time while they are being filled.
 */
G_BEGIN_DECLS

typedef struct {
  char *stream_id; /* NULL in the flat dialect: the service makes one up */
  char *worker_id; /* the same */
  char *source_language;   /* (nullable): the service's default */
  char *target_language;   /* (nullable): the service's default */
  char *voice_profile;     /* "default" */
  guint chunk_duration_ms; /* a hint: 6000 */
  guint sample_rate_hz;    /* of the answers: 48000 */
  guint channels;          /* of the answers: 1 */
  char *format;            /* "m4a" */
  char **domain_hints;     /* (nullable) */
  guint max_inflight;      /* 3 */
  guint timeout_ms;        /* 8000 */
  gboolean is_flat;        /* came with the configuration at top level */
} DubStreamInit;

DubStreamInit *dub_stream_init_new (void); /* with the defaults */
void dub_stream_init_free (DubStreamInit *init);
DubStreamInit *dub_stream_init_from_json (JsonNode *node, GError **error);
JsonNode *dub_stream_init_to_json (const DubStreamInit *init);

typedef struct {
  char *stream_id;
  char *session_id;
  guint max_inflight;
  gboolean can_batch;
  gboolean can_deliver_async;
  /* Ours: fragments may carry PCM s16le as attachments, and so will answers. */
  gboolean takes_pcm_binary;
} DubStreamReady;

DubStreamReady *dub_stream_ready_new (void);
void dub_stream_ready_free (DubStreamReady *ready);
DubStreamReady *dub_stream_ready_from_json (JsonNode *node, GError **error);
JsonNode *dub_stream_ready_to_json (const DubStreamReady *ready);

/* stream:pause, stream:resume, stream:end. */
typedef struct {
  char *stream_id; /* (nullable): the connection says which stream */
  char *reason;    /* (nullable) */
} DubStreamControl;

DubStreamControl *dub_stream_control_new (void);
void dub_stream_control_free (DubStreamControl *control);
DubStreamControl *dub_stream_control_from_json (JsonNode *node, GError **error);
JsonNode *dub_stream_control_to_json (const DubStreamControl *control);

typedef struct {
  char *stream_id;
  guint64 total_fragments;
  guint64 total_duration_ms; /* wall clock of the session */
  guint64 total_audio_duration_ms;
  guint64 success_count;
  guint64 partial_count;
  guint64 failed_count;
  double avg_processing_time_ms;
  double p95_processing_time_ms;
} DubStreamComplete;

DubStreamComplete *dub_stream_complete_new (void);
void dub_stream_complete_free (DubStreamComplete *complete);
/* Counters from "statistics" or from the top level. */
DubStreamComplete *dub_stream_complete_from_json (
    JsonNode *node, GError **error);
/* Counters in both places: peers look in one or the other. */
JsonNode *dub_stream_complete_to_json (const DubStreamComplete *complete);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubStreamInit, dub_stream_init_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubStreamReady, dub_stream_ready_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubStreamControl, dub_stream_control_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubStreamComplete, dub_stream_complete_free)

G_END_DECLS
