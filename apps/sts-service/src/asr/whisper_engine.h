/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/engine_child.h"

/*
 * The inside of the child "whisper": whisper.cpp with one model.
 *
 * load:      { "model": path, "threads": n,
 *              "device": "auto" | "cpu" | "cuda" }
 * ready:     { "device": what it runs on }
 * recognise: { "language": "es" | "auto", "task": "translate"|"transcribe",
 *              "prompt": text of the kind that is to be expected,
 *              "gives_way": 1: on one thread; and when it is of the sound that
 *              was heard last, read off what the encoder made of it then,
 *              without the prompt }
 *            + mono float32 at 16 kHz, at most 30 s
 * result:    { "text", "language": what it sounds like, "language_probability",
 *              "asked_probability": of the language that was asked for,
 *              "no_speech", "mean_logprob", "tokens", "is_looping",
 *              "is_read_again": the encoder did not run }
 *
 * In a build without whisper.cpp load says so.
 */
G_BEGIN_DECLS

#define DUB_WHISPER_RATE_HZ 16000
#define DUB_WHISPER_MAX_MS 30000

extern const DubEngineKind dub_whisper_engine;

/* Whisper's name for a language tag ("pt-BR" → "pt"), NULL when it knows
 * none. Static. */
const char *dub_whisper_language (const char *tag);

G_END_DECLS
