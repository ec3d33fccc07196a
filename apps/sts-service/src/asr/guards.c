/* SPDX-License-Identifier: Apache-2.0 */
#include "guards.h"

#include <string.h>

/* Fast speakers reach 25 letters a second, 12 in scripts of whole syllables.
 * Two words of slack for short segments. */
#define MAX_LETTERS_PER_S 30
#define MAX_SYLLABLE_SIGNS_PER_S 14
#define SLACK_LETTERS 12

/* What is compared of a text at most: longer ones loop within that. */
#define MAX_COMPARED 600
/* A crowd may well shout one word four times. */
#define SHORT_PERIOD 8
#define SHORT_PERIOD_REPEATS 6
#define LONG_PERIOD_REPEATS 3
/* So often nobody says the same sentence, whatever came before it. */
#define MANY_REPEATS 5
#define MIN_LOOP_LETTERS 24
#define MIN_LOOP_SHARE 0.6

/* See dub_guard_once. */
#define MIN_ONCE_LETTERS 20
#define ONCE_MAX_NO_SPEECH 0.25

/* Above these a stock phrase is taken for what it is: most likely said. */
#define STOCK_MAX_NO_SPEECH 0.25
#define STOCK_MIN_LOGPROB (-0.45)
#define VIDEO_TALK_MIN_LOGPROB (-0.8)

#define MIN_PROMPT_LETTERS 16

const char *
dub_guard_verdict_to_string (DubGuardVerdict verdict)
{
  static const char *const names[] = {"none", "pass", "empty", "no_speech",
      "low_confidence", "repetition", "too_dense", "stock_phrase",
      "wrong_language", "prompt"};
  return verdict < G_N_ELEMENTS (names) ? names[verdict] : "none";
}

void
dub_guard_limits_init (DubGuardLimits *limits)
{
  *limits = (DubGuardLimits){
      .max_no_speech = 0.6,
      .min_mean_logprob = -1.7,
      .min_logprob_unsure = -1.1,
      .some_no_speech = 0.45,
      .min_logprob_in_doubt = -1.3,
      .min_other_language = 0.8,
      .max_asked_language = 0.1,
  };
}

/* ---- cleaning ---------------------------------------------------------- */

static gunichar
closing_of (gunichar c)
{
  switch (c) {
    case '[':
      return ']';
    case '(':
      return ')';
    case '{':
      return '}';
    case 0x3010: /* 【 */
      return 0x3011;
    case 0xff08: /* （ */
      return 0xff09;
    case '*':
      return '*';
    default:
      return 0;
  }
}

static gboolean
is_note (gunichar c)
{
  return c == 0x266a || c == 0x266b || c == 0x266c || c == 0x1f3b5 ||
         c == 0x1f3b6;
}

/* Where the description that begins at text ends; NULL when it is none. An
 * opening without its closing is only a stray sign. */
static const char *
skip_description (const char *text)
{
  gunichar closing = closing_of (g_utf8_get_char (text));
  const char *end = NULL;

  if (closing == 0)
    return NULL;
  end = g_utf8_strchr (g_utf8_next_char (text), -1, closing);
  return end != NULL ? g_utf8_next_char (end) : NULL;
}

static gboolean
can_be_said (const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    if (g_unichar_isalnum (g_utf8_get_char (text)))
      return TRUE;
  return FALSE;
}

char *
dub_guard_clean (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autoptr (GString) out = g_string_new (NULL);

  for (const char *p = valid; *p != '\0';) {
    gunichar c = g_utf8_get_char (p);
    const char *end = skip_description (p);
    gboolean is_gap = end != NULL || is_note (c) || g_unichar_isspace (c) ||
                      g_unichar_iscntrl (c) || closing_of (c) != 0;

    if (!is_gap)
      g_string_append_unichar (out, c);
    else if (out->len > 0 && out->str[out->len - 1] != ' ')
      g_string_append_c (out, ' ');
    p = end != NULL ? end : g_utf8_next_char (p);
  }
  g_strchomp (out->str);
  return g_strdup (can_be_said (out->str) ? out->str : "");
}

/* ---- repetition -------------------------------------------------------- */

/* Letters and digits only, in one case: punctuation must not hide a loop. */
static GArray *
letters_of (const char *text)
{
  GArray *letters = g_array_new (FALSE, FALSE, sizeof (gunichar));

  for (; *text != '\0' && letters->len < MAX_COMPARED;
       text = g_utf8_next_char (text)) {
    gunichar c = g_utf8_get_char (text);
    if (!g_unichar_isalnum (c))
      continue;
    c = g_unichar_tolower (c);
    g_array_append_val (letters, c);
  }
  return letters;
}

/* The longest stretch in which every letter equals the one a period later,
 * that period included. */
static guint
longest_with_period (const gunichar *letters, guint length, guint period)
{
  guint best = 0, run = 0;

  for (guint i = 0; i + period < length; i++) {
    run = letters[i] == letters[i + period] ? run + 1 : 0;
    best = MAX (best, run);
  }
  return best > 0 ? best + period : 0;
}

gboolean
dub_guard_is_looping (const char *text)
{
  g_autoptr (GArray) letters = letters_of (text);

  if (letters->len < MIN_LOOP_LETTERS)
    return FALSE;
  for (guint period = 1; period <= letters->len / 2; period++) {
    guint covered = longest_with_period (
        (const gunichar *) (void *) letters->data, letters->len, period);
    guint needed =
        period <= SHORT_PERIOD ? SHORT_PERIOD_REPEATS : LONG_PERIOD_REPEATS;

    if (covered >= needed * period && covered >= MIN_LOOP_LETTERS &&
        covered >= MIN_LOOP_SHARE * letters->len)
      return TRUE;
    if (period > SHORT_PERIOD && covered >= MANY_REPEATS * period)
      return TRUE;
  }
  return FALSE;
}

/* How many letters the stretch has that text is made of, over and over; 0 when
 * it is none. */
static guint
whole_period (const GArray *letters)
{
  const gunichar *letter = (const gunichar *) (void *) letters->data;

  for (guint period = 1; period <= letters->len / 2; period++)
    if (longest_with_period (letter, letters->len, period) == letters->len)
      return period;
  return 0;
}

char *
dub_guard_once (char *text, double no_speech, double mean_logprob)
{
  g_autoptr (GArray) letters = letters_of (text);
  guint left = whole_period (letters);
  char *end = text;

  /* A word or two over and over is no sentence. */
  if (left < MIN_ONCE_LETTERS || no_speech > ONCE_MAX_NO_SPEECH ||
      mean_logprob == 0)
    return text;
  for (; left > 0; end = g_utf8_next_char (end))
    left -= g_unichar_isalnum (g_utf8_get_char (end)) ? 1 : 0;
  /* With what closes the sentence. */
  while (*end != '\0' && g_unichar_ispunct (g_utf8_get_char (end)))
    end = g_utf8_next_char (end);
  *end = '\0';
  return text;
}

/* ---- the rest ---------------------------------------------------------- */

static gboolean
is_syllable_sign (gunichar c)
{
  return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) ||
         (c >= 0xac00 && c <= 0xd7a3) || (c >= 0x20000 && c <= 0x2ffff);
}

static gboolean
is_too_dense (const char *text, guint duration_ms)
{
  double seconds = duration_ms / 1000.0;
  double needed_s = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text)) {
    gunichar c = g_utf8_get_char (text);
    if (is_syllable_sign (c))
      needed_s += 1.0 / MAX_SYLLABLE_SIGNS_PER_S;
    else if (g_unichar_isalnum (c))
      needed_s += 1.0 / MAX_LETTERS_PER_S;
  }
  return needed_s > seconds + SLACK_LETTERS / (double) MAX_LETTERS_PER_S;
}

/* Said over silence by models that learned from subtitles. The first group
 * is never speech; the second may be. */
static const char *const credits[] = {"amara.org", "untertitelung des zdf",
    "subtitles by", "subtitled by", "captions by", "captioned by",
    "transcribed by", "translated by", "transcription by", NULL};
static const char *const stock[] = {"thank you", "thank you very much",
    "thanks for watching", "thank you for watching", "thank you so much",
    "please subscribe", "see you next time", "you", "bye", "bye bye", "the",
    "the end", "i", "oh", "so", "okay", "silence", "music", "applause", NULL};

/* Parts of the same, in longer sentences. Whisper base heard both over a
 * Spanish audiobook, at -1.0 and -1.7. */
static const char *const video_talk[] = {"forget to subscribe",
    "subscribe to the channel", "subscribe to my channel",
    "subscribe to our channel", "like and subscribe", "in the description",
    "the video description", NULL};

static char *
bare (const char *text)
{
  g_autofree char *lower = g_utf8_strdown (text, -1);
  GString *out = g_string_new (NULL);

  for (const char *p = lower; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    if (g_unichar_isalnum (c))
      g_string_append_unichar (out, c);
    else if (out->len > 0 && out->str[out->len - 1] != ' ')
      g_string_append_c (out, ' ');
  }
  return g_strchomp (g_string_free (out, FALSE));
}

static gboolean
is_credit (const char *text)
{
  g_autofree char *lower = g_utf8_strdown (text, -1);

  for (guint i = 0; credits[i] != NULL; i++)
    if (strstr (lower, credits[i]) != NULL)
      return TRUE;
  return FALSE;
}

static gboolean
is_video_talk (const char *text)
{
  for (guint i = 0; video_talk[i] != NULL; i++)
    if (strstr (text, video_talk[i]) != NULL)
      return TRUE;
  return FALSE;
}

static gboolean
is_stock_phrase (const DubGuardInput *input)
{
  g_autofree char *text = NULL;

  if (is_credit (input->text))
    return TRUE;
  if (input->no_speech <= STOCK_MAX_NO_SPEECH &&
      input->mean_logprob >= STOCK_MIN_LOGPROB)
    return FALSE;
  text = bare (input->text);
  return g_strv_contains (stock, text) ||
         (input->mean_logprob < VIDEO_TALK_MIN_LOGPROB && is_video_talk (text));
}

/* Asked for in a wrong language a recogniser writes words of the right sound,
 * or a translation that it makes up. */
static gboolean
is_wrong_language (const DubGuardInput *input, const DubGuardLimits *limits)
{
  return input->language_probability >= limits->min_other_language &&
         input->asked_probability <= limits->max_asked_language;
}

/* Over noise a recogniser may go on with its prompt. A word of it is a word
 * that was expected; a stretch of it was not said. */
static gboolean
is_prompt (const char *text, const char *prompt)
{
  g_autofree char *said = NULL, *expected = NULL;

  if (prompt == NULL)
    return FALSE;
  said = bare (text);
  expected = bare (prompt);
  return g_utf8_strlen (said, -1) >= MIN_PROMPT_LETTERS &&
         strstr (expected, said) != NULL;
}

DubGuardVerdict
dub_guard_check (const DubGuardInput *input, const DubGuardLimits *limits)
{
  if (!can_be_said (input->text))
    return DUB_GUARD_EMPTY;
  if (input->no_speech > limits->max_no_speech &&
      input->mean_logprob < limits->min_logprob_unsure)
    return DUB_GUARD_NO_SPEECH;
  if (input->mean_logprob < limits->min_mean_logprob ||
      (input->no_speech > limits->some_no_speech &&
          input->mean_logprob < limits->min_logprob_in_doubt))
    return DUB_GUARD_LOW_CONFIDENCE;
  if (dub_guard_is_looping (input->text))
    return DUB_GUARD_REPETITION;
  if (is_too_dense (input->text, input->duration_ms))
    return DUB_GUARD_TOO_DENSE;
  if (is_stock_phrase (input))
    return DUB_GUARD_STOCK_PHRASE;
  if (is_wrong_language (input, limits))
    return DUB_GUARD_WRONG_LANGUAGE;
  if (is_prompt (input->text, input->prompt))
    return DUB_GUARD_PROMPT;
  return DUB_GUARD_PASS;
}
