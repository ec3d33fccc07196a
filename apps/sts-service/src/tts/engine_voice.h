/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tts.h"

#include "engine/engine_client.h"

/*
 * What a service asks a child that speaks, and what the child makes of it:
 *
 *   synthesise: { "text", "speed": 1.0, ... }   and what the engine's own
 *   result:     { "rate_hz", ... } + mono float32    voices are called by
 *
 * The providers "piper", "kokoro" and "espeak" share the first part, their
 * children the second.
 */
G_BEGIN_DECLS

#define DUB_ENGINE_MAX_TEXT 4000 /* bytes: minutes of speech */

/* ---- in the service; the thread of the client -------------------------- */

/* header: what names the voice (transfer full); voice (nullable): its speed
 * is on top of the request's. */
guint64 dub_engine_voice_ask (DubEngineClient *engine, JsonObject *header,
    const DubTtsRequest *request, const DubVoice *voice, DubTtsDoneFunc done,
    gpointer user_data);
void dub_engine_voice_cancel (DubEngineClient *engine, guint64 id);

/* ---- in the child ------------------------------------------------------- */

/* The text, which is not empty; or DUB_ERROR_INVALID, DUB_ERROR_LIMIT. */
const char *dub_engine_voice_text (const DubFrame *request, GError **error);
/* Held to what a voice can do: 0.5 to 2. */
double dub_engine_voice_speed (const DubFrame *request);

G_END_DECLS
