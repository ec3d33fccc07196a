/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/chain.h"

#include <dubbing_common/error.h>
#include <string.h>

#define WISH(a, b, live)                                                       \
  &(DubChainWish)                                                              \
  {                                                                            \
    .from = (a), .to = (b), .wants_live = (live)                               \
  }

/* A machine with a quick and a slow voice of Spanish. rtf of the three that
 * matter are given. */
static DubEngines *
machine (double whisper, double kokoro, double espeak)
{
  char numbers[3][G_ASCII_DTOSTR_BUF_SIZE];
  g_autofree char *text = NULL;

  g_ascii_formatd (numbers[0], sizeof numbers[0], "%.3f", whisper);
  g_ascii_formatd (numbers[1], sizeof numbers[1], "%.3f", kokoro);
  g_ascii_formatd (numbers[2], sizeof numbers[2], "%.3f", espeak);
  text = g_strdup_printf (
      "{\"cores\": 2, \"engines\": ["
      "{\"stage\": \"recognition\", \"provider\": \"whisper\", \"model\": "
      "\"base\", \"languages\": \"*\", \"state\": \"ready\", \"rtf\": %s, "
      "\"translates\": true},"
      "{\"stage\": \"translation\", \"provider\": \"apertium\", \"languages\": "
      "\"en-es es-en\", \"state\": \"ready\", \"rtf\": 0.01},"
      "{\"stage\": \"translation\", \"provider\": \"apertium\", \"languages\": "
      "\"en-ca\", \"state\": \"missing\", \"bring\": \"apt-get install x\"},"
      "{\"stage\": \"synthesis\", \"provider\": \"kokoro\", \"languages\": "
      "\"en es\", \"state\": \"ready\", \"rtf\": %s},"
      "{\"stage\": \"synthesis\", \"provider\": \"espeak-ng\", \"languages\": "
      "\"*\", \"state\": \"ready\", \"rtf\": %s}]}",
      numbers[0], numbers[1], numbers[2]);
  return dub_engines_parse (text, NULL);
}

static void
test_live_takes_what_keeps_up (void)
{
  g_autoptr (DubEngines) slow = machine (0.3, 1.2, 0.02);
  g_autoptr (DubEngines) quick = machine (0.1, 0.2, 0.02);
  g_autoptr (GError) error = NULL;
  DubChain chain;

  g_assert_true (
      dub_chain_pick (slow, WISH ("en", "es", TRUE), &chain, &error));
  g_assert_cmpstr (chain.synthesis->provider, ==, "espeak-ng");
  g_assert_cmpstr (chain.translation->provider, ==, "apertium");
  g_assert_true (chain.is_live);
  g_assert_cmpuint (chain.live_streams, ==, 2);
  g_assert_true (
      dub_chain_pick (quick, WISH ("en", "es", TRUE), &chain, &error));
  g_assert_cmpstr (chain.synthesis->provider, ==, "kokoro");
  g_assert_true (chain.is_live);
}

/* A file waits for the best voice. */
static void
test_file_takes_the_best (void)
{
  g_autoptr (DubEngines) slow = machine (0.3, 1.2, 0.02);
  DubChain chain;

  g_assert_true (dub_chain_pick (slow, WISH ("en", "es", FALSE), &chain, NULL));
  g_assert_cmpstr (chain.synthesis->provider, ==, "kokoro");
  g_assert_false (chain.is_live);
}

static void
test_nothing_keeps_up (void)
{
  g_autoptr (DubEngines) weak = machine (2.0, 9.0, 0.1);
  DubChain chain;

  g_assert_true (dub_chain_pick (weak, WISH ("en", "es", TRUE), &chain, NULL));
  g_assert_cmpstr (chain.synthesis->provider, ==, "espeak-ng");
  g_assert_false (chain.is_live);
  g_assert_cmpuint (chain.live_streams, ==, 0);
}

/* Whisper translates into English; the same language needs nothing. */
static void
test_no_translation (void)
{
  g_autoptr (DubEngines) engines = machine (0.1, 0.2, 0.02);
  DubChain chain;

  g_assert_true (
      dub_chain_pick (engines, WISH ("auto", "en", TRUE), &chain, NULL));
  g_assert_null (chain.translation);
  g_assert_true (
      dub_chain_pick (engines, WISH ("ja", "ja-JP", TRUE), &chain, NULL));
  g_assert_null (chain.translation);
  g_assert_true (
      dub_chain_pick (engines, WISH ("auto", "es", TRUE), &chain, NULL));
  g_assert_nonnull (chain.translation);
}

static void
test_says_what_is_missing (void)
{
  g_autoptr (DubEngines) engines = machine (0.1, 0.2, 0.02);
  g_autoptr (GError) missing = NULL;
  g_autoptr (GError) unknown = NULL;
  DubChain chain;

  g_assert_false (
      dub_chain_pick (engines, WISH ("en", "ca", TRUE), &chain, &missing));
  g_assert_error (missing, DUB_ERROR, DUB_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (missing->message, "apertium (apt-get install x)"));
  g_assert_false (
      dub_chain_pick (engines, WISH ("en", "ja", TRUE), &chain, &unknown));
  g_assert_error (unknown, DUB_ERROR, DUB_ERROR_UNSUPPORTED);
}

/* People type names of languages. */
static void
test_tags (void)
{
  static const struct {
    const char *from, *to, *says;
  } cases[] = {{"auto", "es", NULL}, {"en", "pt-BR", NULL},
      {"eng", "zh-Hant", NULL}, {"en", "spanish", "--to: \"spanish\""},
      {"en", "e", "--to: \"e\""}, {"en", "auto", "--to: \"auto\""},
      {"en", "", "--to"}, {"german", "es", "--from: \"german\""},
      {"de", "e5", "--to"}, {"de", "es;rm", "--to"}};

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    gboolean is_good =
        dub_chain_check_wish (WISH (cases[i].from, cases[i].to, TRUE), &error);

    g_assert_cmpint (is_good, ==, cases[i].says == NULL);
    if (cases[i].says == NULL)
      continue;
    g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
    g_assert_true (g_str_has_prefix (error->message, cases[i].says));
  }
}

/* Who was named, whatever is better. */
static void
test_named_synthesiser (void)
{
  g_autoptr (DubEngines) engines = machine (0.1, 0.2, 0.02);
  g_autoptr (GError) error = NULL;
  DubChainWish wish = {.from = "en", .to = "es", .synthesiser = "espeak-ng"};
  DubChain chain;

  g_assert_true (dub_chain_pick (engines, &wish, &chain, &error));
  g_assert_cmpstr (chain.synthesis->provider, ==, "espeak-ng");
  wish.synthesiser = "piper";
  g_assert_false (dub_chain_pick (engines, &wish, &chain, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "synthesiser piper"));
}

static void
test_environment (void)
{
  g_autoptr (DubEngines) engines = machine (0.1, 0.2, 0.02);
  g_auto (GStrv) environment = g_new0 (char *, 1);
  DubChain chain;

  g_assert_true (
      dub_chain_pick (engines, WISH ("en", "es", TRUE), &chain, NULL));
  environment =
      dub_chain_add_to_environment (&chain, g_steal_pointer (&environment));
  g_assert_cmpstr (
      g_environ_getenv (environment, "TTS_PROVIDER"), ==, "kokoro");
  g_assert_cmpstr (
      g_environ_getenv (environment, "TRANSLATION_PROVIDER"), ==, "apertium");
  g_assert_cmpstr (g_environ_getenv (environment, "ASR_MODEL"), ==, "base");
  g_assert_null (g_environ_getenv (environment, "TTS_VOICE"));
}

/* Recognisers: one that hears better and does not translate, one that is only
 * for who names it, one of English; and a server that translates. */
static DubEngines *
rich_machine (void)
{
  return dub_engines_parse (
      "{\"cores\": 2, \"engines\": ["
      "{\"stage\": \"recognition\", \"provider\": \"moonshine\", \"model\": "
      "\"tiny\", \"languages\": \"*\", \"state\": \"ready\", \"rtf\": 0.05},"
      "{\"stage\": \"recognition\", \"provider\": \"whisper\", \"model\": "
      "\"base.en\", \"languages\": \"en\", \"state\": \"ready\", \"rtf\": "
      "0.1},"
      "{\"stage\": \"recognition\", \"provider\": \"whisper\", \"model\": "
      "\"turbo\", \"languages\": \"*\", \"state\": \"ready\", \"rtf\": 3.0},"
      "{\"stage\": \"recognition\", \"provider\": \"whisper\", \"model\": "
      "\"base\", \"languages\": \"*\", \"state\": \"ready\", \"rtf\": 0.2, "
      "\"translates\": true},"
      "{\"stage\": \"translation\", \"provider\": \"deepl\", \"languages\": "
      "\"*\", \"state\": \"ready\", \"remote\": true},"
      "{\"stage\": \"synthesis\", \"provider\": \"espeak\", \"languages\": "
      "\"*\", \"state\": \"ready\", \"rtf\": 0.02}]}",
      NULL);
}

static void
test_recognisers (void)
{
  static const struct {
    const char *from, *to;
    gboolean wants_live;
    const char *model;
  } cases[] = {{"en", "fr", TRUE, "base.en"}, {"es", "fr", TRUE, "base"},
      {"es", "fr", FALSE, "turbo"}, {"es", "en", FALSE, "base"},
      {"auto", "en", FALSE, "base"}, {"auto", "fr", FALSE, "turbo"}};
  g_autoptr (DubEngines) engines = rich_machine ();
  DubChain chain;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("%s to %s", cases[i].from, cases[i].to);
    g_assert_true (dub_chain_pick (engines,
        WISH (cases[i].from, cases[i].to, cases[i].wants_live), &chain, NULL));
    g_assert_cmpstr (chain.recognition->model, ==, cases[i].model);
  }
}

/* What a server does is no work of this machine. */
static void
test_server (void)
{
  g_autoptr (DubEngines) engines = rich_machine ();
  DubChain chain;

  g_assert_true (
      dub_chain_pick (engines, WISH ("es", "fr", TRUE), &chain, NULL));
  g_assert_cmpstr (chain.translation->provider, ==, "deepl");
  g_assert_true (chain.is_live);
  g_assert_cmpfloat_with_epsilon (chain.rtf, 0.22, 1e-9);
}

/* Of what would do, the usual one is named. */
static void
test_names_the_usual (void)
{
  g_autoptr (DubEngines) engines = dub_engines_parse (
      "{\"cores\": 2, \"engines\": ["
      "{\"stage\": \"recognition\", \"provider\": \"whisper\", \"model\": "
      "\"large\", \"languages\": \"*\", \"state\": \"missing\", \"bring\": "
      "\"fetch large\", \"about\": \"much work\", \"translates\": true},"
      "{\"stage\": \"recognition\", \"provider\": \"whisper\", \"model\": "
      "\"base\", \"languages\": \"*\", \"state\": \"missing\", \"bring\": "
      "\"fetch base\", \"translates\": true}]}",
      NULL);
  g_autoptr (GError) error = NULL;
  DubChain chain;

  g_assert_false (
      dub_chain_pick (engines, WISH ("es", "en", TRUE), &chain, &error));
  g_assert_nonnull (strstr (error->message, "fetch base"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/dub/chain/live-takes-what-keeps-up", test_live_takes_what_keeps_up);
  g_test_add_func ("/dub/chain/file-takes-the-best", test_file_takes_the_best);
  g_test_add_func ("/dub/chain/nothing-keeps-up", test_nothing_keeps_up);
  g_test_add_func ("/dub/chain/no-translation", test_no_translation);
  g_test_add_func (
      "/dub/chain/says-what-is-missing", test_says_what_is_missing);
  g_test_add_func ("/dub/chain/tags", test_tags);
  g_test_add_func ("/dub/chain/named-synthesiser", test_named_synthesiser);
  g_test_add_func ("/dub/chain/environment", test_environment);
  g_test_add_func ("/dub/chain/recognisers", test_recognisers);
  g_test_add_func ("/dub/chain/server", test_server);
  g_test_add_func ("/dub/chain/names-the-usual", test_names_the_usual);
  return g_test_run ();
}
