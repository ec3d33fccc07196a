/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/limits.h>
#include <json-glib/json-glib.h>

/*
 * The event "error", the error object inside fragment:processed, and the table
 * of codes: which may be tried again, and how bad they are. A code that the
 * table does not know is kept as it came.
 *
 * Any thread; one at a time while a value is being filled.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_SEVERITY_NONE = 0,
  DUB_SEVERITY_WARNING,
  DUB_SEVERITY_ERROR,
  DUB_SEVERITY_FATAL,
} DubSeverity;
const char *dub_severity_to_string (DubSeverity severity);

typedef struct {
  const char *code;
  gboolean is_retryable;
  DubSeverity severity;
  /* A failure that says something about the service's health; bad input and
   * bad settings do not open the circuit breaker. */
  gboolean counts_for_breaker;
} DubWireCode;

/* (transfer none) (nullable): NULL for a code that is not in the table. */
const DubWireCode *dub_wire_code_lookup (const char *code);
/* The table, ended by an entry without code. */
const DubWireCode *dub_wire_codes (void);
/* TRUE for the codes that say so and for every unknown one. */
gboolean dub_wire_code_counts_for_breaker (const char *code);

#define DUB_CODE_AUTH_FAILED "AUTH_FAILED"
#define DUB_CODE_STREAM_NOT_FOUND "STREAM_NOT_FOUND"
#define DUB_CODE_INVALID_CONFIG "INVALID_CONFIG"
#define DUB_CODE_FRAGMENT_TOO_LARGE "FRAGMENT_TOO_LARGE"
#define DUB_CODE_TIMEOUT "TIMEOUT"
#define DUB_CODE_MODEL_ERROR "MODEL_ERROR"
#define DUB_CODE_QUEUE_FULL "QUEUE_FULL"
#define DUB_CODE_RATE_LIMIT "RATE_LIMIT"
#define DUB_CODE_STREAM_PAUSED "STREAM_PAUSED"
#define DUB_CODE_STREAM_NOT_READY "STREAM_NOT_READY"
#define DUB_CODE_MALFORMED_DATA "MALFORMED_DATA"
#define DUB_CODE_BACKPRESSURE_EXCEEDED "BACKPRESSURE_EXCEEDED"
#define DUB_CODE_PROCESSING_ERROR "PROCESSING_ERROR"
#define DUB_CODE_INVALID_VOICE_PROFILE "INVALID_VOICE_PROFILE"
#define DUB_CODE_UNSUPPORTED_LANGUAGE "UNSUPPORTED_LANGUAGE"
#define DUB_CODE_ASR_FAILED "ASR_FAILED"
#define DUB_CODE_TRANSLATION_FAILED "TRANSLATION_FAILED"
#define DUB_CODE_TTS_SYNTHESIS_FAILED "TTS_SYNTHESIS_FAILED"
#define DUB_CODE_DURATION_MISMATCH_EXCEEDED "DURATION_MISMATCH_EXCEEDED"
#define DUB_CODE_INVALID_AUDIO_FORMAT "INVALID_AUDIO_FORMAT"

typedef struct {
  char *code;
  char *message;
  gboolean is_retryable;
  DubSeverity severity;
  char *stage;       /* (nullable): asr, translation, tts, pipeline */
  char *stream_id;   /* (nullable) */
  char *fragment_id; /* (nullable) */
} DubWireError;

/* retryable and severity from the table; an unknown code is an ERROR that is
 * not retryable. */
DubWireError *dub_wire_error_new (const char *code, const char *message);
void dub_wire_error_free (DubWireError *error_event);
DubWireError *dub_wire_error_from_json (JsonNode *node, GError **error);
JsonNode *dub_wire_error_to_json (const DubWireError *error_event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubWireError, dub_wire_error_free)

G_END_DECLS
