/* SPDX-License-Identifier: Apache-2.0 */
#include "whisper_reader.h"

#include "thread_choice.h"

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
/* whisper.cpp's limits of a prompt: that of its text, and the share of the
 * decoder's context that is for it. */
#define MAX_PROMPT_TOKENS 1024
#define PROMPT_SHARE 2

struct _DubWhisperReader {
  struct whisper_context *context;
  DubThreadChoice choice;
  int n_vocab;
  whisper_token eot, space;
  gboolean *is_mark; /* n_vocab */
};

static gint64
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

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

/* NULL, or what may follow: a row of the vocabulary for each token, of which
 * the last is filled. */
static const float *
step (DubWhisperReader *self, const whisper_token *tokens, int n_tokens,
    int n_past, int most)
{
  /* Who gives way is on one thread beside others: no measure of it. */
  gboolean is_measured = n_tokens == 1 && most > 1;
  int threads = is_measured ? dub_thread_choice_next (&self->choice, most)
                            : dub_thread_choice_best (&self->choice, most);
  gint64 start_ns = now_ns ();

  if (whisper_decode (self->context, tokens, n_tokens, n_past, threads) != 0)
    return NULL;
  if (is_measured)
    dub_thread_choice_learn (&self->choice, threads, now_ns () - start_ns);
  return whisper_get_logits (self->context) +
         (gsize) (n_tokens - 1) * self->n_vocab;
}

static const float *
decode (DubWhisperReader *self, const DubWhisperReading *reading,
    const whisper_token *tokens, int n_tokens, int n_past, GError **error)
{
  const float *logits = NULL;

  if (now_ns () >= reading->deadline_ns) {
    g_set_error_literal (
        error, DUB_ERROR, DUB_ERROR_TIMEOUT, "reading did not end in time");
    return NULL;
  }
  logits = step (self, tokens, n_tokens, n_past, reading->threads);
  if (logits == NULL)
    g_set_error_literal (
        error, DUB_ERROR, DUB_ERROR_ENGINE, "whisper.cpp's decoder failed");
  return logits;
}

const float *
dub_whisper_reader_peek (DubWhisperReader *self, int threads)
{
  whisper_token start = whisper_token_sot (self->context);

  return step (self, &start, 1, 0, threads);
}

/* The end of the prompt, when all of it is too much. */
static void
append_prompt (DubWhisperReader *self, const char *prompt, GArray *tokens)
{
  g_autofree whisper_token *all = g_new (whisper_token, MAX_PROMPT_TOKENS);
  whisper_token previous = whisper_token_prev (self->context);
  int n = whisper_tokenize (self->context, prompt, all, MAX_PROMPT_TOKENS);
  int most = whisper_n_text_ctx (self->context) / PROMPT_SHARE;
  int first = MAX (n - most, 0);

  if (n <= 0)
    return;
  g_array_append_val (tokens, previous);
  g_array_append_vals (tokens, all + first, (guint) (n - first));
}

/* What the decoder is told before the text. */
static GArray *
start_of (DubWhisperReader *self, const DubWhisperReading *reading)
{
  struct whisper_context *context = self->context;
  GArray *tokens = g_array_new (FALSE, FALSE, sizeof (whisper_token));
  whisper_token sot = whisper_token_sot (context);
  whisper_token no_times = whisper_token_not (context);

  if (reading->prompt != NULL)
    append_prompt (self, reading->prompt, tokens);
  g_array_append_val (tokens, sot);
  if (whisper_is_multilingual (context)) {
    whisper_token how[] = {
        whisper_token_lang (context, whisper_lang_id (reading->language)),
        reading->is_translation ? whisper_token_translate (context)
                                : whisper_token_transcribe (context)};
    g_array_append_vals (tokens, how, G_N_ELEMENTS (how));
  }
  g_array_append_val (tokens, no_times);
  return tokens;
}

gboolean
dub_whisper_reader_read (DubWhisperReader *self,
    const DubWhisperReading *reading, DubWhisperRead *ret_read, GError **error)
{
  g_autoptr (GArray) start = start_of (self, reading);
  int n_past = (int) start->len;
  int most =
      MIN (reading->max_tokens, whisper_n_text_ctx (self->context) - n_past);
  g_auto (DubWhisperRead) read = {.text = g_string_new (NULL)};
  const float *logits = decode (
      self, reading, (whisper_token *) (void *) start->data, n_past, 0, error);

  while (logits != NULL) {
    double logprob = 0;
    whisper_token token = pick (self, logits, read.tokens == 0, &logprob);

    if (token == self->eot)
      break;
    g_string_append (read.text, whisper_token_to_str (self->context, token));
    read.logprob_sum += logprob;
    if (++read.tokens >= most)
      break;
    logits = decode (self, reading, &token, 1, n_past++, error);
  }
  if (logits == NULL)
    return FALSE;
  *ret_read = read;
  read.text = NULL;
  return TRUE;
}
