/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Who speaks which language: one file per service (VOICES_FILE), or the one
 * that is built in (voices.yaml beside this file, which tells the format).
 *
 *   languages:                  what "default" means
 *     es:                       a tag; "*" is every other language
 *       - engine: kokoro        a synthesiser; each takes its own lines
 *         voice: ef_dora
 *   profiles:                   what a stream may ask for by name
 *     female: { es: [...] }
 *   speakers:                   label of who speaks -> profile
 *     Ana: female
 *
 * Of several voices of one engine for one language the first is used; the
 * order of the engines is TTS_PROVIDER's. "pt-BR" looks for pt-br, then pt,
 * then "*".
 *
 * Immutable, counted; any thread.
 */
G_BEGIN_DECLS

#define DUB_VOICES_MAX 1024

typedef struct {
  const char *profile;  /* "default" below languages: */
  const char *language; /* as in the file, lower case */
  const char *engine;
  const char *voice; /* the engine's name of it; "" where it needs none */
  const char *model; /* elevenlabs, openai; "" is the engine's default */
  double speed;      /* 0.5 to 2 times what is asked */
  double pitch;      /* espeak; semitones, -12 to 12 */
  double stability;  /* elevenlabs, 0 to 1; below 0: not said */
  double similarity;
  guint line;
} DubVoice;

typedef struct _DubVoices DubVoices;

/* path NULL or "": what is built in. DUB_ERROR_NOT_FOUND, DUB_ERROR_INVALID,
 * DUB_ERROR_LIMIT; the message names file and line. (transfer full) */
DubVoices *dub_voices_load (const char *path, GError **error);
/* name: of the file, for messages. */
DubVoices *dub_voices_parse (
    const char *name, const char *text, gsize length, GError **error);
DubVoices *dub_voices_ref (DubVoices *self);
void dub_voices_unref (DubVoices *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubVoices, dub_voices_unref)

typedef struct {
  const char *engine;
  const char *language; /* "es", "pt-BR" */
  const char *profile;  /* (nullable): as "default" */
  const char *speaker;  /* (nullable): label of who speaks */
} DubVoiceQuery;

/* A speaker that the file knows goes before the profile, where that profile
 * has the language; a profile that is not there is no other one.
 * (nullable) (transfer none) */
const DubVoice *dub_voices_find (
    const DubVoices *self, const DubVoiceQuery *query);

/* Is there such a profile at all, for any engine and language? */
gboolean dub_voices_has_profile (const DubVoices *self, const char *profile);

/* Every voice, in the file's order. */
guint dub_voices_count (const DubVoices *self);
const DubVoice *dub_voices_get (const DubVoices *self, guint index);
/* For messages: the path, or "the built-in voices". */
const char *dub_voices_name (const DubVoices *self);

G_END_DECLS
