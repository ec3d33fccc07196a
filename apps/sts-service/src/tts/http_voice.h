/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tts.h"

#include "http/http_engine.h"

/*
 * A voice that is reached by HTTP: what ElevenLabs, OpenAI's speech endpoint
 * and Coqui's server have in common. A dialect says what to send; the answer
 * is one piece of sound, which is decoded on a thread and looked at: an error
 * page, silence, a rate that is none, or more than a minute of it is no
 * speech.
 *
 *   request ─▶ http engine ─▶ decode (thread) ─▶ done
 *
 * Main thread only, but dub_http_voice_read ().
 */
G_BEGIN_DECLS

#define DUB_HTTP_VOICE_MAX_MS 60000
#define DUB_HTTP_VOICE_MAX_BYTES (6u * 1024 * 1024)

/* What a dialect makes of a request; every text (transfer full). */
typedef struct {
  const char *method;
  char *url;
  GBytes *body;        /* JSON (nullable) */
  const char *label;   /* how sound without a header is coded */
  guint label_rate_hz; /* and its rate */
} DubHttpVoiceCall;
void dub_http_voice_call_clear (DubHttpVoiceCall *call);

typedef struct {
  const DubTtsProvider *provider;
  const char *key_header;                                /* "xi-api-key" */
  const char *key_scheme;                                /* "Bearer " or "" */
  const char *(*missing) (const DubTtsOptions *options); /* (nullable) name */
  const char *(*url) (const DubTtsOptions *options);
  const char *(*key) (const DubTtsOptions *options); /* (nullable) */
  void (*make) (const DubTtsOptions *options, const char *url,
      const DubTtsRequest *request, const DubVoice *voice,
      DubHttpVoiceCall *call);
  DubHttpSortFunc sort;
  double max_speed; /* that it can be asked for */
} DubVoiceDialect;

/* The functions of a provider's table. */
DubTts *dub_http_voice_new (
    const DubVoiceDialect *dialect, const DubTtsSettings *settings);
void dub_http_voice_free (DubTts *base);
gboolean dub_http_voice_is_ready (DubTts *base, GError **error);
gboolean dub_http_voice_has_voice (
    DubTts *base, const char *language, const char *profile);
guint64 dub_http_voice_synthesise (DubTts *base, const DubTtsRequest *request,
    DubTtsDoneFunc done, gpointer user_data);
void dub_http_voice_cancel (DubTts *base, guint64 id);

/* An answer as mono float32. content_type: (nullable). DUB_ERROR_ENGINE for
 * what is no speech, DUB_ERROR_LIMIT for too much. Any thread, blocks.
 * (transfer full) (nullable) */
GBytes *dub_http_voice_read (GBytes *body, const char *content_type,
    const DubHttpVoiceCall *call, guint *ret_rate_hz, GError **error);

G_END_DECLS
