/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/audio.h>
#include <dubbing_contracts/wire_error.h>

/*
 * The events of a fragment's life: data, ack, processed.
 *
 * Tolerant in, strict out, as in stream.h. attachments: (nullable), see
 * audio.h.
 */
G_BEGIN_DECLS

/* How a fragment came, so that its answer goes the same way. */
typedef enum {
  DUB_DIALECT_NONE = 0,
  DUB_DIALECT_NESTED,     /* "audio" is an object: ours */
  DUB_DIALECT_FLAT,       /* "audio" is a base64 string */
  DUB_DIALECT_AUDIO_DATA, /* the string is called "audio_data" */
} DubDialect;
const char *dub_dialect_to_string (DubDialect dialect);

typedef struct {
  char *fragment_id;
  char *stream_id;
  guint64 sequence_number;
  gint64 timestamp_ms; /* Unix time; 0 when a flat peer gave none */
  DubAudio *audio;
  gint64 pts_ns;        /* G_MININT64: not said */
  gint64 source_pts_ns; /* G_MININT64: not said */
  guint room_ms;        /* ours: pause that follows the slot; 0 */
  guint deadline_ms;    /* ours: how long the answer is worth waiting for; 0 */
  DubDialect dialect;
} DubFragmentData;

DubFragmentData *dub_fragment_data_new (void);
void dub_fragment_data_free (DubFragmentData *data);
DubFragmentData *dub_fragment_data_from_json (
    JsonNode *node, const DubAttachments *attachments, GError **error);
JsonNode *dub_fragment_data_to_json (
    const DubFragmentData *data, const DubAttachments *attachments);

/* What can be read of a fragment that was refused: its number must not leave
 * a gap, its id must be in the error. FALSE when there is no number. */
gboolean dub_fragment_data_peek (
    JsonNode *node, char **ret_fragment_id, guint64 *ret_sequence_number);
/* Characters of its base64; 0 when there is none. */
gsize dub_fragment_data_peek_base64_length (JsonNode *node);

typedef enum {
  DUB_ACK_NONE = 0,
  DUB_ACK_QUEUED,     /* service -> worker */
  DUB_ACK_PROCESSING, /* service -> worker */
  DUB_ACK_RECEIVED,   /* worker -> service */
  DUB_ACK_APPLIED,    /* worker -> service */
} DubAckStatus;
const char *dub_ack_status_to_string (DubAckStatus status);

typedef struct {
  char *fragment_id;
  DubAckStatus status;
  gint64 timestamp_ms;   /* 0 when absent */
  gint64 queue_position; /* -1 when absent */
} DubFragmentAck;

DubFragmentAck *dub_fragment_ack_new (
    const char *fragment_id, DubAckStatus status);
void dub_fragment_ack_free (DubFragmentAck *ack);
DubFragmentAck *dub_fragment_ack_from_json (JsonNode *node, GError **error);
JsonNode *dub_fragment_ack_to_json (const DubFragmentAck *ack);

typedef enum {
  DUB_PROCESSED_NONE = 0,
  DUB_PROCESSED_SUCCESS,
  DUB_PROCESSED_PARTIAL,
  DUB_PROCESSED_FAILED,
} DubProcessedStatus;
const char *dub_processed_status_to_string (DubProcessedStatus status);

typedef struct {
  char *fragment_id;
  char *stream_id; /* (nullable) when it came without */
  guint64 sequence_number;
  DubProcessedStatus status;
  DubAudio *dubbed_audio; /* (nullable) */
  char *transcript;       /* (nullable) */
  char *translated_text;  /* (nullable) */
  guint processing_time_ms;
  gboolean has_timings;
  gint64 asr_ms, translation_ms, tts_ms; /* -1: not told */
  DubWireError *error;                   /* (nullable); set when failed */
  /* Either the names (echo mode) or the durations (full mode). */
  char *model_name; /* (nullable) */
  gboolean has_durations;
  guint original_duration_ms, dubbed_duration_ms;
  double duration_variance_percent;
  double speed_ratio;
  gboolean is_flat; /* dubbed_audio is, or is to be, a bare base64 string */
} DubFragmentProcessed;

DubFragmentProcessed *dub_fragment_processed_new (void);
void dub_fragment_processed_free (DubFragmentProcessed *processed);
DubFragmentProcessed *dub_fragment_processed_from_json (
    JsonNode *node, const DubAttachments *attachments, GError **error);
JsonNode *dub_fragment_processed_to_json (
    const DubFragmentProcessed *processed, const DubAttachments *attachments);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubFragmentData, dub_fragment_data_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubFragmentAck, dub_fragment_ack_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (
    DubFragmentProcessed, dub_fragment_processed_free)

G_END_DECLS
