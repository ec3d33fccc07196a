/* SPDX-License-Identifier: Apache-2.0 */
#include "whisper_reader.h"

#include <dubbing_common/error.h>
#include <math.h>
#include <string.h>

/* What marks a description of a sound, or stands for no word at all; the same
 * as suppress_nst leaves out. */
#define MARKS "\"#()*+/:;<=>@[\\]^_`{|}~"
#define FIRST_NOTE 0x2669
#define LAST_NOTE 0x266f
#define FIRST_BRACKET 0x300c /* of Chinese and Japanese */
#define LAST_BRACKET 0x300f

struct _DubWhisperReader {
  struct whisper_context *context;
  int n_vocab;
  whisper_token eot, space;
  gboolean *is_mark; /* n_vocab */
};

static gboolean
is_mark_sign (gunichar sign)
{
  if (sign < 0x80)
    return strchr (MARKS, (int) sign) != NULL;
  return (sign >= FIRST_NOTE && sign <= LAST_NOTE) ||
         (sign >= FIRST_BRACKET && sign <= LAST_BRACKET);
}

/* Marks only; a hyphen or an apostrophe only where a word would begin. */
static gboolean
is_mark (const char *token)
{
  const char *text = *token == ' ' ? token + 1 : token;

  if (g_str_equal (token, " -") || g_str_equal (token, " '"))
    return TRUE;
  if (*text == '\0' || !g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (; *text != '\0'; text = g_utf8_next_char (text))
    if (!is_mark_sign (g_utf8_get_char (text)))
      return FALSE;
  return TRUE;
}

DubWhisperReader *
dub_whisper_reader_new (struct whisper_context *context)
{
  DubWhisperReader *self = g_new0 (DubWhisperReader, 1);

  self->context = context;
  self->n_vocab = whisper_n_vocab (context);
  self->eot = whisper_token_eot (context);
  self->is_mark = g_new0 (gboolean, self->n_vocab);
  for (whisper_token id = 0; id < self->eot; id++) {
    const char *token = whisper_token_to_str (context, id);

    self->is_mark[id] = is_mark (token);
    if (g_str_equal (token, " "))
      self->space = id;
  }
  return self;
}

void
dub_whisper_reader_free (DubWhisperReader *self)
{
  if (self == NULL)
    return;
  g_free (self->is_mark);
  g_free (self);
}

void
dub_whisper_read_clear (DubWhisperRead *read)
{
  if (read->text != NULL)
    g_string_free (read->text, TRUE);
  *read = (DubWhisperRead){NULL};
}

static gboolean
may_be_next (DubWhisperReader *self, whisper_token id, gboolean is_first)
{
  if (is_first && (id == self->eot || id == self->space))
    return FALSE;
  return !self->is_mark[id];
}

/* The likeliest one, and how likely it is among those that may be. logits: of
 * the last token that was decoded. */
static whisper_token
pick (DubWhisperReader *self, const float *logits, gboolean is_first,
    double *ret_logprob)
{
  whisper_token best = -1;
  double sum = 0;

  /* Beyond the end of text are languages, tasks and time stamps. */
  for (whisper_token id = 0; id <= self->eot; id++)
    if (may_be_next (self, id, is_first) &&
        (best < 0 || logits[id] > logits[best]))
      best = id;
  for (whisper_token id = 0; id <= self->eot; id++)
    if (may_be_next (self, id, is_first))
      sum += exp ((double) logits[id] - logits[best]);
  *ret_logprob = -log (sum);
  return best;
}

/* NULL with error, or what may follow: a row of the vocabulary for each token,
 * of which the last is filled. */
static const float *
decode (DubWhisperReader *self, const DubWhisperReading *reading,
    const whisper_token *tokens, int n_tokens, int n_past, GError **error)
{
  if (g_get_monotonic_time () * 1000 >= reading->deadline_ns) {
    g_set_error_literal (
        error, DUB_ERROR, DUB_ERROR_TIMEOUT, "reading did not end in time");
    return NULL;
  }
  if (whisper_decode (
          self->context, tokens, n_tokens, n_past, reading->threads) == 0)
    return whisper_get_logits (self->context) +
           (gsize) (n_tokens - 1) * self->n_vocab;
  g_set_error_literal (
      error, DUB_ERROR, DUB_ERROR_ENGINE, "whisper.cpp's decoder failed");
  return NULL;
}

gboolean
dub_whisper_reader_read (DubWhisperReader *self,
    const DubWhisperReading *reading, DubWhisperRead *ret_read, GError **error)
{
  whisper_token start[] = {whisper_token_sot (self->context),
      whisper_token_lang (self->context, whisper_lang_id (reading->language)),
      reading->is_translation ? whisper_token_translate (self->context)
                              : whisper_token_transcribe (self->context),
      whisper_token_not (self->context)};
  int n_past = G_N_ELEMENTS (start);
  g_auto (DubWhisperRead) read = {.text = g_string_new (NULL)};
  const float *logits = decode (self, reading, start, n_past, 0, error);

  while (logits != NULL && read.tokens < reading->max_tokens) {
    double logprob = 0;
    whisper_token token = pick (self, logits, read.tokens == 0, &logprob);

    if (token == self->eot)
      break;
    g_string_append (read.text, whisper_token_to_str (self->context, token));
    read.logprob_sum += logprob;
    read.tokens++;
    logits = decode (self, reading, &token, 1, n_past++, error);
  }
  if (logits == NULL)
    return FALSE;
  *ret_read = read;
  read.text = NULL;
  return TRUE;
}
