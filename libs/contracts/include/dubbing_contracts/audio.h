/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/limits.h>
#include <json-glib/json-glib.h>

/*
 * Sound inside an event: what it is said to be, and its bytes.
 *
 * The bytes travel as a base64 string or, with a peer whose stream:ready says
 * "pcm_s16le_binary", as a binary attachment. This library knows no Socket.IO:
 * who decodes or encodes an event that may carry an attachment passes a
 * DubAttachments, two functions over the message that carries them. NULL
 * means base64 only.
 *
 * Base64 is decoded when it is asked for, so that a bad one costs its fragment
 * and not the event: dub_audio_dup_data ().
 *
 * Any thread; one at a time while it is being filled.
 */
G_BEGIN_DECLS

typedef struct {
  /* The attachment that node stands for; NULL when it stands for none.
   * (transfer none) (nullable) */
  GBytes *(*get) (gpointer carrier, JsonNode *node);
  /* A node that stands for bytes (transfer none). (transfer full) */
  JsonNode *(*add) (gpointer carrier, GBytes *bytes);
  gpointer carrier;
} DubAttachments;

typedef struct {
  char *format; /* "m4a", "pcm_s16le"; letters, digits and "_" only */
  guint sample_rate_hz;
  guint channels;
  guint duration_ms;  /* as declared */
  char *base64;       /* (nullable) as it came */
  GBytes *data;       /* (nullable) as it came in an attachment, or to send */
  gboolean is_binary; /* it came as, or is to go as, an attachment */
} DubAudio;

DubAudio *dub_audio_new (const char *format, guint sample_rate_hz,
    guint channels, guint duration_ms, GBytes *data);
void dub_audio_free (DubAudio *audio);
/* Decodes base64 when there is no data yet. DUB_ERROR_INVALID for base64 that
 * is none, DUB_ERROR_LIMIT beyond DUB_WIRE_MAX_AUDIO_BYTES.
 * (transfer full) (nullable) */
GBytes *dub_audio_dup_data (const DubAudio *audio, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubAudio, dub_audio_free)

G_END_DECLS
