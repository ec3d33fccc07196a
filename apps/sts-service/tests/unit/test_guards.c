/* SPDX-License-Identifier: Apache-2.0 */
#include "asr/guards.h"

typedef struct {
  const char *text;
  double no_speech, logprob;
  guint duration_ms;
  DubGuardVerdict verdict;
  double language, asked; /* probabilities; 0: the recogniser does not tell */
  const char *prompt;
} Case;

static const Case cases[] = {
    {"He was born in Madrid.", 0.05, -0.5, 2000, DUB_GUARD_PASS},
    {"Sí.", 0.1, -0.3, 1000, DUB_GUARD_PASS},
    {"42", 0.1, -0.3, 1000, DUB_GUARD_PASS},
    {"", 0.9, 0, 5000, DUB_GUARD_EMPTY},
    {" ... ", 0.1, -0.1, 5000, DUB_GUARD_EMPTY},
    {"The next day", 0.7, -1.2, 5000, DUB_GUARD_NO_SPEECH},
    {"The next day, all of us left", 0.7, -0.3, 5000, DUB_GUARD_PASS},
    /* Short, in a Spanish book: doubted, and said. */
    {"Valdemoro 20 de sept", 0.69, -1.01, 1900, DUB_GUARD_PASS, 0.32, 0.32},
    {"Mimoí Carisma Manuel", 0.77, -0.82, 1900, DUB_GUARD_PASS, 0.65, 0.11},
    {"The next day", 0.0, -3.2, 5000, DUB_GUARD_LOW_CONFIDENCE},
    /* Over music. */
    {"I'm going to make a video about the game.", 0.55, -1.6, 5000,
        DUB_GUARD_LOW_CONFIDENCE},
    {"The weeks that we spent in the village", 0.1, -1.6, 5000, DUB_GUARD_PASS},
    /* Loops, with spaces and without. */
    {"the fish and the fish and the fish and the fish and the fish", 0, -0.2,
        5000, DUB_GUARD_REPETITION},
    {"我们走吧我们走吧我们走吧我们走吧我们走吧我们走吧我们走吧我们走吧", 0,
        -0.2, 5000, DUB_GUARD_REPETITION},
    {"ああああああああああああああああああああああああああああ", 0, -0.2, 5000,
        DUB_GUARD_REPETITION},
    {"No. No! No, no, no, no, no, no, no, no, no, no, no, no.", 0, -0.2, 5000,
        DUB_GUARD_REPETITION},
    /* After a good beginning. */
    {"I will also give you a link to it, I will be very happy to see you soon, "
     "see you soon, see you soon, see you soon, see you soon, see you soon",
        0, -0.77, 5000, DUB_GUARD_REPETITION},
    /* What people do say. */
    {"We sang, we shouted until the morning came: we will rock you, we will "
     "rock you, we will rock you",
        0, -0.2, 5000, DUB_GUARD_PASS},
    {"Goal! Goal! Goal! Goal!", 0, -0.2, 3000, DUB_GUARD_PASS},
    {"Hello my friends, come on, come on, come on, come on!", 0, -0.2, 5000,
        DUB_GUARD_PASS},
    {"You know, I think, you know, we won, you know, the game.", 0, -0.3, 5000,
        DUB_GUARD_PASS},
    {"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", 0, -0.3, 6000, DUB_GUARD_PASS},
    /* More than a mouth can say. */
    {"This sentence has many more letters than anybody could ever say within "
     "one single second of time",
        0, -0.3, 1000, DUB_GUARD_TOO_DENSE},
    {"此句之字数远超任何人于一秒之内所能言说之数量故不可信也而已矣", 0, -0.3,
        1000, DUB_GUARD_TOO_DENSE},
    /* Stock phrases: only when there is doubt; credits: always. */
    {"Thank you.", 0.05, -0.2, 2000, DUB_GUARD_PASS},
    {"Thank you.", 0.5, -0.3, 2000, DUB_GUARD_STOCK_PHRASE},
    {"Thanks for watching!", 0.1, -0.9, 2000, DUB_GUARD_STOCK_PHRASE},
    {"Subtitles by the Amara.org community", 0, -0.1, 5000,
        DUB_GUARD_STOCK_PHRASE},
    /* What it learned from videos; said by somebody it is heard well. */
    {"Thanks for watching, subscribe, and don't forget to subscribe.", 0.04,
        -1.03, 5000, DUB_GUARD_STOCK_PHRASE},
    {"I will explain the link to the video, so you can subscribe to the "
     "channel.",
        0, -1.69, 5000, DUB_GUARD_STOCK_PHRASE},
    {"The link is in the description.", 0.1, -0.9, 5000,
        DUB_GUARD_STOCK_PHRASE},
    {"Now like and subscribe, and see you on Monday.", 0, -0.4, 3000,
        DUB_GUARD_PASS},
    {"They had to subscribe to a newspaper.", 0, -1.2, 3000, DUB_GUARD_PASS},
    /* Figures of Whisper base on real speech. */
    {"We wish to refer to the history.", 0, -0.8, 5000, DUB_GUARD_PASS, 0.99,
        0.99},
    {"I am already writing and printing.", 0.1, -1.2, 5000, DUB_GUARD_PASS,
        0.33, 0.26},
    {"And the most important thing is", 0.2, -1.2, 5000, DUB_GUARD_PASS, 0.5,
        0.14},
    {"From fairest creatures we desire", 0.4, -0.4, 5000,
        DUB_GUARD_WRONG_LANGUAGE, 0.96, 0.0},
    {"Hans Jakob Christoffel", 0.4, -0.4, 5000, DUB_GUARD_WRONG_LANGUAGE, 0.94,
        0.04},
    /* The prompt itself; a word of it is what it is for. */
    {"our correspondent reports", 0.1, -0.3, 5000, DUB_GUARD_PROMPT, 0, 0,
        "News: our correspondent reports, the weather forecast."},
    {"The weather forecast", 0.1, -0.3, 5000, DUB_GUARD_PROMPT, 0, 0,
        "News: our correspondent reports, the weather forecast."},
    {"The forecast is bad.", 0.1, -0.3, 5000, DUB_GUARD_PASS, 0, 0,
        "News: our correspondent reports, the weather forecast."},
    {"Our weather.", 0.1, -0.3, 5000, DUB_GUARD_PASS, 0, 0,
        "News: our correspondent reports, the weather forecast."},
};

static void
test_verdicts (void)
{
  DubGuardLimits limits;

  dub_guard_limits_init (&limits);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    DubGuardInput input = {cases[i].text, cases[i].no_speech, cases[i].logprob,
        cases[i].duration_ms, cases[i].language, cases[i].asked,
        cases[i].prompt};
    g_test_message ("%s", cases[i].text);
    g_assert_cmpstr (
        dub_guard_verdict_to_string (dub_guard_check (&input, &limits)), ==,
        dub_guard_verdict_to_string (cases[i].verdict));
  }
}

static void
test_clean (void)
{
  static const char *const texts[][2] = {
      {" Hello  there.\n", "Hello there."},
      {"[Music]", ""},
      {"(applause)", ""},
      {"[Music] Welcome back (laughs) to the show.",
          "Welcome back to the show."},
      {"*sighs* Well, *coughs*", "Well,"},
      {"♪ La la ♪", "La la"},
      {"♪♪", ""},
      {"【拍手】こんにちは", "こんにちは"},
      {"an open [bracket", "an open bracket"},
      {"5 ( five", "5 five"},
      {"...", ""},
      {"", ""},
      {"caf\xc3", "caf\xef\xbf\xbd"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree char *clean = dub_guard_clean (texts[i][0]);
    g_assert_cmpstr (clean, ==, texts[i][1]);
  }
}

#define SENTENCE "I will celebrate and not have failed your hopes"

static void
test_once (void)
{
  static const struct {
    const char *text;
    double no_speech, logprob;
    const char *once;
  } texts[] = {
      {SENTENCE ". " SENTENCE ".", 0.01, -0.5, SENTENCE "."},
      /* To the end of what it may write. */
      {SENTENCE ". " SENTENCE ". " SENTENCE ". I will celebr", 0, -0.4,
          SENTENCE "."},
      {"¡" SENTENCE "! " SENTENCE "!", 0.2, -0.5, "¡" SENTENCE "!"},
      {SENTENCE ".", 0.01, -0.5, SENTENCE "."},
      /* In doubt, or by one that does not tell, it is a loop like any other. */
      {SENTENCE " " SENTENCE, 0.5, -0.5, SENTENCE " " SENTENCE},
      {SENTENCE " " SENTENCE, 0, 0, SENTENCE " " SENTENCE},
      /* What people say. */
      {"Goal! Goal! Goal! Goal! Goal!", 0, -0.2,
          "Goal! Goal! Goal! Goal! Goal!"},
      {"We will rock you, we will rock you", 0, -0.2,
          "We will rock you, we will rock you"},
      /* A loop of less than a sentence stays one, for the guards. */
      {"Manual of Manual of Manual of Manual of Manual of Manual of", 0, -0.5,
          "Manual of Manual of Manual of Manual of Manual of Manual of"},
      {SENTENCE ". " SENTENCE ", and more.", 0, -0.2,
          SENTENCE ". " SENTENCE ", and more."},
      {"", 0, -0.2, ""},
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree char *once = dub_guard_once (
        g_strdup (texts[i].text), texts[i].no_speech, texts[i].logprob);
    g_assert_cmpstr (once, ==, texts[i].once);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/asr/guards/verdicts", test_verdicts);
  g_test_add_func ("/sts/asr/guards/clean", test_clean);
  g_test_add_func ("/sts/asr/guards/once", test_once);
  return g_test_run ();
}
