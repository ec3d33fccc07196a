/* SPDX-License-Identifier: Apache-2.0 */
#include "http_peer.h"
#include "translation/preparer.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <glib/gstdio.h>
#include <string.h>

/* The stage: what is done around a translator, and a list of them. */

typedef struct {
  DubTranslationOptions options;
  DubPreparer *preparer;
} Fixture;

static const char *const hints[] = {
    "keep:Leeds", "sports", "term:keeper=portero", NULL};

static void
set_up (Fixture *f, gconstpointer data)
{
  f->options = (DubTranslationOptions){.context_sentences = 2,
      .formality = DUB_FORMALITY_FORMAL,
      .normalises = TRUE,
      .removes_speakers = TRUE};
  f->preparer = dub_preparer_new (&f->options, NULL);
  g_assert_nonnull (f->preparer);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  dub_preparer_free (f->preparer);
}

static void
prepare (Fixture *f, const char *stream, guint64 number, const char *text,
    DubPreparedText *ret_prepared)
{
  DubHeardText heard = {.stream_id = stream,
      .sequence_number = number,
      .text = text,
      .source = "en",
      .target = "es",
      .stream_hints = hints,
      .slot_ms = 2000};

  dub_preparer_prepare (
      f->preparer, &heard, (gint64) number * DUB_NS_PER_S, ret_prepared);
}

static void
test_prepares (Fixture *f, gconstpointer data)
{
  DubPreparedText prepared;

  prepare (f, "a", 0, ">> Alice: Jets vs. Bills, $5 & more", &prepared);
  g_assert_cmpstr (prepared.text, ==, "Jets versus Bills, 5 dollars and more");
  g_assert_cmpstr (prepared.speaker, ==, "Alice");
  g_assert_cmpstr (prepared.hints.domain, ==, "sports");
  g_assert_cmpstr (prepared.hints.formality, ==, "formal");
  g_assert_cmpstr (prepared.hints.keep[0], ==, "Leeds");
  g_assert_cmpstr (prepared.hints.glossary[0].from, ==, "keeper");
  g_assert_cmpstr (prepared.hints.glossary[0].to, ==, "portero");
  /* 2 s of Spanish at 16 letters a second, and a little more. */
  g_assert_cmpuint (prepared.hints.max_chars, ==, 41);
  dub_prepared_text_clear (&prepared);
  dub_prepared_text_clear (&prepared);
}

/* The sentences before, of this stream only, as they were prepared. */
static void
test_gives_context (Fixture *f, gconstpointer data)
{
  DubPreparedText prepared;

  prepare (f, "a", 0, "One.", &prepared);
  g_assert_null (prepared.hints.context[0]);
  dub_prepared_text_clear (&prepared);
  prepare (f, "b", 0, "Other.", &prepared);
  dub_prepared_text_clear (&prepared);
  prepare (f, "a", 1, "Alice: Two.", &prepared);
  dub_prepared_text_clear (&prepared);
  prepare (f, "a", 2, "Three.", &prepared);
  g_assert_cmpstr (prepared.hints.context[0], ==, "One.");
  g_assert_cmpstr (prepared.hints.context[1], ==, "Two.");
  g_assert_null (prepared.hints.context[2]);
  dub_prepared_text_clear (&prepared);
}

/* What was said a minute ago belongs to something else. */
static void
test_context_ages (Fixture *f, gconstpointer data)
{
  DubPreparedText prepared;

  prepare (f, "a", 0, "One.", &prepared);
  dub_prepared_text_clear (&prepared);
  prepare (f, "a", 60, "Two.", &prepared);
  g_assert_cmpstr (prepared.hints.context[0], ==, "One.");
  dub_prepared_text_clear (&prepared);
  prepare (f, "a", 61, "Three.", &prepared);
  g_assert_cmpstr (prepared.hints.context[0], ==, "Two.");
  dub_prepared_text_clear (&prepared);
}

static void
test_can_be_off (Fixture *f, gconstpointer data)
{
  DubTranslationOptions off = {NULL};
  DubPreparedText prepared;

  dub_preparer_free (f->preparer);
  f->preparer = dub_preparer_new (&off, NULL);
  prepare (f, "a", 0, "Alice: $5", &prepared);
  g_assert_cmpstr (prepared.text, ==, "Alice: $5");
  g_assert_null (prepared.hints.formality);
  dub_prepared_text_clear (&prepared);
  prepare (f, "a", 1, "Next.", &prepared);
  g_assert_null (prepared.hints.context[0]);
  dub_prepared_text_clear (&prepared);
}

static void
test_reads_glossary (Fixture *f, gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  DubPreparedText prepared;

  g_assert_true (g_close (g_file_open_tmp ("terms-XXXXXX", &path, NULL), NULL));
  g_assert_true (
      g_file_set_contents (path, "[en-es]\nball = pelota\n", -1, NULL));
  f->options.glossary_file = path;
  dub_preparer_free (f->preparer);
  f->preparer = dub_preparer_new (&f->options, &error);
  g_assert_no_error (error);
  prepare (f, "a", 0, "The ball.", &prepared);
  g_assert_cmpstr (prepared.hints.glossary[1].to, ==, "pelota");
  dub_prepared_text_clear (&prepared);
  g_unlink (path);
  g_assert_null (dub_preparer_new (&f->options, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND);
}

/* ---- a list of translators ----------------------------------------------- */

typedef struct {
  gboolean is_done;
  char *text, *engine;
  DubTranslator *chain;
} Answer;

static void
on_translated (const char *text, const GError *error, gpointer user_data)
{
  Answer *answer = user_data;

  g_assert_no_error (error);
  answer->is_done = TRUE;
  answer->text = g_strdup (text);
  answer->engine = g_strdup (answer->chain->engine);
}

/* DeepL's month is used up: the next of the list translates. */
static void
test_falls_back (void)
{
  g_autoptr (HttpPeer) peer = http_peer_new ();
  g_autoptr (GError) error = NULL;
  DubTranslationOptions options = {.deepl_key = (char *) "k",
      .deepl_url = (char *) http_peer_url (peer),
      .libretranslate_url = (char *) http_peer_url (peer)};
  DubTranslator *chain = dub_translator_chain_new ("deepl,libretranslate",
      &(DubTranslatorSettings){.options = &options}, &error);
  DubTranslationRequest request = {.text = "Hello.",
      .source = "en",
      .target = "es",
      .deadline_ns = g_get_monotonic_time () * 1000 + 15 * DUB_NS_PER_S};
  Answer answer = {.chain = chain};

  g_assert_no_error (error);
  http_peer_push (peer, (HttpPeerAnswer){.status = 456});
  http_peer_push (
      peer, (HttpPeerAnswer){.body = "{\"translatedText\":[\"Hola.\"]}"});
  chain->provider->translate (chain, &request, on_translated, &answer);
  http_peer_wait (&answer.is_done);
  g_assert_cmpstr (answer.text, ==, "Hola.");
  g_assert_cmpstr (answer.engine, ==, "libretranslate");
  g_assert_cmpstr (http_peer_get (peer, 0)->path, ==, "/v2/translate");
  chain->provider->free (chain);
  http_peer_settle ();
  g_free (answer.text);
  g_free (answer.engine);
}

static void
test_finds_providers (void)
{
  static const char *const names[] = {
      "identity", "deepl", "libretranslate", "openai", "apertium"};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    const DubTranslatorProvider *found =
        dub_translator_provider_find (names[i]);
    g_assert_nonnull (found);
    g_assert_cmpstr (found->name, ==, names[i]);
  }
  g_assert_null (dub_translator_provider_find ("google"));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func)                                                        \
  g_test_add ("/sts/translation/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("prepares", test_prepares);
  ADD ("gives-context", test_gives_context);
  ADD ("context-ages", test_context_ages);
  ADD ("can-be-off", test_can_be_off);
  ADD ("reads-glossary", test_reads_glossary);
  g_test_add_func ("/sts/translation/falls-back", test_falls_back);
  g_test_add_func ("/sts/translation/finds-providers", test_finds_providers);
  return g_test_run ();
}
