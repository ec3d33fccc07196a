/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What a recogniser says when there was nothing to hear must not be spoken on
 * air. These rules look at one recognised text and its figures and say whether
 * it may go on. They work on code points, so a text without spaces (Chinese,
 * Japanese, Thai) is judged like any other.
 *
 * A text that is stopped is not an error of the engine: the slot keeps its
 * original sound.
 *
 * Pure; any thread.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_GUARD_NONE = 0,
  DUB_GUARD_PASS,
  DUB_GUARD_EMPTY,     /* nothing was said, or sound descriptions only */
  DUB_GUARD_NO_SPEECH, /* the recogniser itself doubts that it was speech */
  DUB_GUARD_LOW_CONFIDENCE, /* it guessed */
  DUB_GUARD_REPETITION,     /* it looped */
  DUB_GUARD_TOO_DENSE,      /* more text than a mouth can say in that time */
  DUB_GUARD_STOCK_PHRASE,   /* what such models say over music and silence */
  DUB_GUARD_WRONG_LANGUAGE, /* not the one the stream is said to be in */
  DUB_GUARD_PROMPT,         /* its own prompt */
} DubGuardVerdict;
/* "empty", "no_speech", ... for logs and metrics. Static. */
const char *dub_guard_verdict_to_string (DubGuardVerdict verdict);

typedef struct {
  double max_no_speech; /* 0.6; beyond it confidence must be high */
  /* -1.7: of real speech Whisper base is at least so sure */
  double min_mean_logprob;
  /* -1.1: when no_speech is beyond its limit. Short real speech (a salutation,
   * a date) was doubted by 0.69 and 0.77, and heard at -1.01 and -0.82. */
  double min_logprob_unsure;
  /* 0.45 and -1.3. Over ten minutes of music, noise and applause it was at
   * most -1.77 sure, with a doubt of at least 0.53; where it doubted real
   * speech so much it was surer than -1.3. */
  double some_no_speech, min_logprob_in_doubt;
  /* Another language is at least so likely, 0.8, and the one that was asked
   * for at most so, 0.1. Whisper base gave 5 s of Spanish at least 0.26 as
   * Spanish; of English and German asked for in a wrong language at most
   * 0.14, and 0.05 where it was sure of the other. */
  double min_other_language;
  double max_asked_language;
} DubGuardLimits;
void dub_guard_limits_init (DubGuardLimits *limits);

typedef struct {
  const char *text;    /* as dub_guard_clean () left it */
  double no_speech;    /* 0 to 1 */
  double mean_logprob; /* per token, <= 0 */
  guint duration_ms;
  double language_probability, asked_probability; /* as of DubHeard */
  const char *prompt;                             /* (nullable) */
} DubGuardInput;

DubGuardVerdict dub_guard_check (
    const DubGuardInput *input, const DubGuardLimits *limits);

/*
 * The text without descriptions of sounds ("[Music]", "(applause)", "*sighs*",
 * notes), with single spaces. "" when nothing is left that can be said: no
 * letter and no digit. (transfer full)
 */
char *dub_guard_clean (const char *text);

/*
 * A recogniser that has heard a sentence well may write it over and over, to
 * the end of what it may write. When it is sure that there was speech
 * (no_speech at most 0.25; over music and noise Whisper base was at least 0.53
 * in doubt) and text is one stretch of at least 20 letters, repeated and
 * nothing else, this leaves it once. Whoever does say a sentence twice within
 * a segment is dubbed with one. mean_logprob of 0: the recogniser does not
 * tell how sure it is, and nothing is changed.
 * text: (transfer full). (transfer full)
 */
char *dub_guard_once (char *text, double no_speech, double mean_logprob);

/* Does one stretch repeat itself through most of the text? */
gboolean dub_guard_is_looping (const char *text);

G_END_DECLS
