/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <whisper.h>

/*
 * Reads a text off what Whisper's encoder made of the sound it saw last. The
 * encoder takes most of the time of a fragment; who has the translation and
 * wants the transcript too needs only the decoder again. whisper_full () would
 * run both.
 *
 * Greedy, without time stamps, with the tokens left out that whisper_full ()
 * leaves out, so it reads what that would.
 *
 * One thread at a time with its context.
 */
G_BEGIN_DECLS

typedef struct _DubWhisperReader DubWhisperReader;

/* context: of a multilingual model; must stay. (transfer full) */
DubWhisperReader *dub_whisper_reader_new (struct whisper_context *context);
void dub_whisper_reader_free (DubWhisperReader *self);

typedef struct {
  const char *language; /* Whisper's name for it, not "auto" */
  gboolean is_translation;
  int max_tokens;
  int threads;
  gint64 deadline_ns; /* monotonic */
} DubWhisperReading;

typedef struct {
  GString *text; /* bytes: the end may be inside a character */
  double logprob_sum;
  int tokens;
} DubWhisperRead;
void dub_whisper_read_clear (DubWhisperRead *read);

/* The encoder must have run in the context, and nothing failed since.
 * DUB_ERROR_TIMEOUT at the deadline, _ENGINE when whisper.cpp fails. */
gboolean dub_whisper_reader_read (DubWhisperReader *self,
    const DubWhisperReading *reading, DubWhisperRead *ret_read, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubWhisperReader, dub_whisper_reader_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DubWhisperRead, dub_whisper_read_clear)

G_END_DECLS
