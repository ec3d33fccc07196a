/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <whisper.h>

/*
 * Reads a text off what Whisper's encoder made of the sound it saw last: the
 * decoder's part of whisper_full (), on one thread or all (thread_choice.h).
 * Who has the translation and wants the transcript too needs only this again.
 *
 * Greedy, without time stamps, with the tokens left out that whisper_full ()
 * leaves out, so it reads what that would.
 *
 * One thread at a time with its context.
 */
G_BEGIN_DECLS

typedef struct _DubWhisperReader DubWhisperReader;

/* context: must stay. (transfer full) */
DubWhisperReader *dub_whisper_reader_new (struct whisper_context *context);
void dub_whisper_reader_free (DubWhisperReader *self);

typedef struct {
  /* Neither matters to a model that knows English only. */
  const char *language; /* Whisper's name for it, not "auto" */
  gboolean is_translation;
  const char *prompt; /* (nullable): text that would stand before */
  int max_tokens;
  int threads;        /* at most */
  gint64 deadline_ns; /* monotonic */
} DubWhisperReading;

typedef struct {
  GString *text; /* bytes: the end may be inside a character */
  double logprob_sum;
  int tokens;
} DubWhisperRead;
void dub_whisper_read_clear (DubWhisperRead *read);

/* What the model expects right after the start token, a figure for each token
 * of its vocabulary; NULL when whisper.cpp fails. The context's, until it works
 * again. */
const float *dub_whisper_reader_peek (DubWhisperReader *self, int threads);

/* The encoder must have run in the context, and nothing failed since.
 * DUB_ERROR_TIMEOUT at the deadline, _ENGINE when whisper.cpp fails. */
gboolean dub_whisper_reader_read (DubWhisperReader *self,
    const DubWhisperReading *reading, DubWhisperRead *ret_read, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubWhisperReader, dub_whisper_reader_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (DubWhisperRead, dub_whisper_read_clear)

G_END_DECLS
