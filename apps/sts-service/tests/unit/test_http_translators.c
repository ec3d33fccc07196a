/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_json.h"
#include "http_peer.h"
#include "translation/translation.h"

#include <dubbing_common/clock.h>
#include <dubbing_common/error.h>
#include <string.h>

/*
 * The translators behind HTTP, against a server that plays what their
 * documentation says, and what it does not.
 */

#define LONG_MS 15000
#define KEY "secret-0123456789"

typedef struct {
  HttpPeer *peer;
  DubTranslationOptions options;
  DubTranslator *translator;
  DubTranslationHints hints;
  gboolean is_done;
  char *text;
  GError *error;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  const DubTranslatorProvider *provider = dub_translator_provider_find (data);

  f->peer = http_peer_new ();
  f->options = (DubTranslationOptions){.deepl_key = (char *) KEY,
      .deepl_url = (char *) http_peer_url (f->peer),
      .libretranslate_url = (char *) http_peer_url (f->peer),
      .libretranslate_key = (char *) KEY,
      .chat_url = (char *) http_peer_url (f->peer),
      .chat_key = (char *) KEY,
      .chat_model = (char *) "mt-7b"};
  f->translator =
      provider->create (&(DubTranslatorSettings){.options = &f->options});
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  f->translator->provider->free (f->translator);
  http_peer_settle ();
  http_peer_free (f->peer);
  g_free (f->text);
  g_clear_error (&f->error);
}

static void
on_translated (const char *text, const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_true ((text == NULL) == (error != NULL));
  f->is_done = TRUE;
  f->text = g_strdup (text);
  f->error = error != NULL ? g_error_copy (error) : NULL;
}

static void
translate (Fixture *f, const char *source, const char *target, const char *text,
    guint deadline_ms)
{
  DubTranslationRequest request = {.text = text,
      .source = source,
      .target = target,
      .hints = f->hints,
      .deadline_ns = g_get_monotonic_time () * 1000 +
                     (gint64) deadline_ms * DUB_NS_PER_MS};

  f->is_done = FALSE;
  g_clear_pointer (&f->text, g_free);
  g_clear_error (&f->error);
  f->translator->provider->translate (
      f->translator, &request, on_translated, f);
  g_assert_false (f->is_done);
  http_peer_wait (&f->is_done);
}

static void
play (Fixture *f, guint status, const char *body)
{
  http_peer_push (f->peer, (HttpPeerAnswer){.status = status, .body = body});
}

/* What the last request had at that path. (transfer full) */
static char *
asked (Fixture *f, const char *path)
{
  const HttpPeerRequest *request =
      http_peer_get (f->peer, http_peer_count (f->peer) - 1);
  g_autoptr (GBytes) body = g_bytes_new (request->body, strlen (request->body));
  g_autoptr (JsonNode) root = dub_http_json_parse (body, NULL);
  JsonNode *node = dub_http_json_get (root, path);
  g_autoptr (GBytes) text = NULL;

  if (node == NULL)
    return NULL;
  if (dub_http_json_get_string (root, path) != NULL)
    return g_strdup (dub_http_json_get_string (root, path));
  text = dub_http_json_to_bytes (node);
  return g_strndup (g_bytes_get_data (text, NULL), g_bytes_get_size (text));
}

#define ASSERT_ASKED(f, path, expected)                                        \
  G_STMT_START                                                                 \
  {                                                                            \
    g_autofree char *was_asked = asked (f, path);                              \
    g_assert_cmpstr (was_asked, ==, expected);                                 \
  }                                                                            \
  G_STMT_END

/* ---- DeepL -----------------------------------------------------------------
 */

#define DEEPL_HOLA                                                             \
  "{\"translations\":[{\"detected_source_language\":\"EN\","                   \
  "\"text\":\"Hola, mundo.\",\"model_type_used\":\"quality_optimized\"}]}"

static void
test_deepl (Fixture *f, gconstpointer data)
{
  const HttpPeerRequest *request;

  play (f, 200, DEEPL_HOLA);
  translate (f, "en-US", "es", "Hello, world.", LONG_MS);
  g_assert_no_error (f->error);
  g_assert_cmpstr (f->text, ==, "Hola, mundo.");
  request = http_peer_get (f->peer, 0);
  g_assert_cmpstr (request->path, ==, "/v2/translate");
  g_assert_cmpstr (g_hash_table_lookup (request->headers, "authorization"), ==,
      "DeepL-Auth-Key " KEY);
  ASSERT_ASKED (f, "text.0", "Hello, world.");
  ASSERT_ASKED (f, "source_lang", "EN");
  ASSERT_ASKED (f, "target_lang", "ES");
  ASSERT_ASKED (f, "model_type", "prefer_quality_optimized");
  ASSERT_ASKED (f, "split_sentences", "nonewlines");
  ASSERT_ASKED (f, "context", NULL);
  ASSERT_ASKED (f, "formality", NULL);
  ASSERT_ASKED (f, "tag_handling", NULL);
}

static void
test_deepl_languages (Fixture *f, gconstpointer data)
{
  static const char *const cases[][4] = {
      {"es", "en", "ES", "EN-US"},
      {"pt-BR", "en-GB", "PT", "EN-GB"},
      {"spa", "en-AU", "ES", "EN-US"},
      {"en", "pt", "EN", "PT-PT"},
      {"en", "pt_br", "EN", "PT-BR"},
      {"en", "zh", "EN", "ZH-HANS"},
      {"en", "zh-TW", "EN", "ZH-HANT"},
      {"en", "zh-HK", "EN", "ZH-HANT"},
      {"en", "zh-MO", "EN", "ZH-HANT"},
      {"en", "zh-Hant", "EN", "ZH-HANT"},
      {"en", "es-419", "EN", "ES-419"},
      {"en", "no", "EN", "NB"},
      {"auto", "de", NULL, "DE"},
  };
  /* What a stream says goes before the default. */
  static const char *const other_defaults[][2] = {
      {"en", "EN-GB"}, {"en-US", "EN-US"}, {"pt", "PT-BR"}, {"pt-PT", "PT-PT"}};

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    play (f, 200, "{\"translations\":[{\"text\":\"...\"}]}");
    translate (f, cases[i][0], cases[i][1], "Hm.", LONG_MS);
    ASSERT_ASKED (f, "source_lang", cases[i][2]);
    ASSERT_ASKED (f, "target_lang", cases[i][3]);
  }
  f->options.deepl_english = f->options.deepl_portuguese = 1;
  for (guint i = 0; i < G_N_ELEMENTS (other_defaults); i++) {
    play (f, 200, "{}");
    translate (f, "es", other_defaults[i][0], "Hm.", LONG_MS);
    ASSERT_ASKED (f, "target_lang", other_defaults[i][1]);
  }
  g_assert_true (
      f->translator->provider->supports (f->translator, "auto", "pt-BR"));
  g_assert_false (
      f->translator->provider->supports (f->translator, "en", "xx"));
}

static void
test_deepl_hints (Fixture *f, gconstpointer data)
{
  static const char *const context[] = {"He shoots.", "He misses.", NULL};
  static const char *const keep[] = {"Leeds", NULL};
  static const DubGlossaryEntry glossary[] = {{"keeper", "portero"}, {NULL}};

  f->hints = (DubTranslationHints){.domain = "sports",
      .context = context,
      .keep = keep,
      .glossary = glossary,
      .formality = "informal"};
  f->options.deepl_glossary_id = (char *) "def3a26b";
  play (f, 200,
      "{\"translations\":[{\"text\":\"¡El <k>portero</k> de "
      "<k>Leeds</k> &amp; yo!\"}]}");
  translate (f, "en", "es", "The keeper of Leeds & me!", LONG_MS);
  g_assert_no_error (f->error);
  g_assert_cmpstr (f->text, ==, "¡El portero de Leeds & yo!");
  ASSERT_ASKED (f, "text.0", "The <k>portero</k> of <k>Leeds</k> &amp; me!");
  ASSERT_ASKED (f, "tag_handling", "xml");
  ASSERT_ASKED (f, "ignore_tags.0", "k");
  ASSERT_ASKED (f, "context", "Live broadcast, sports. He shoots. He misses.");
  ASSERT_ASKED (f, "formality", "prefer_less");
  f->hints = (DubTranslationHints){.domain = "general", .formality = "formal"};
  play (f, 200, "{}");
  translate (f, "en", "es", "Hm.", LONG_MS);
  ASSERT_ASKED (f, "formality", "prefer_more");
  ASSERT_ASKED (f, "context", NULL);
  ASSERT_ASKED (f, "glossary_id", "def3a26b");
  play (f, 200, "{}");
  translate (f, "en", "ko", "Hm.", LONG_MS);
  ASSERT_ASKED (f, "formality", NULL);
}

static void
test_deepl_without_key (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  DubTranslatorSettings settings = {.options = &f->options};

  g_assert_true (dub_translator_deepl.is_installed (&settings));
  f->options.deepl_key = NULL;
  g_assert_false (dub_translator_deepl.is_installed (&settings));
  f->translator->provider->free (f->translator);
  f->translator = dub_translator_deepl.create (&settings);
  g_assert_false (f->translator->provider->is_ready (f->translator, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  translate (f, "en", "es", "Hello.", LONG_MS);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_INVALID);
  g_assert_cmpuint (http_peer_count (f->peer), ==, 0);
}

/* ---- LibreTranslate ------------------------------------------------------ */

static void
test_libretranslate (Fixture *f, gconstpointer data)
{
  play (f, 200, "{\"translatedText\":[\"Hola, mundo.\"]}");
  translate (f, "en", "es-MX", "Hello, world.", LONG_MS);
  g_assert_no_error (f->error);
  g_assert_cmpstr (f->text, ==, "Hola, mundo.");
  g_assert_cmpstr (http_peer_get (f->peer, 0)->path, ==, "/translate");
  ASSERT_ASKED (f, "q.0", "Hello, world.");
  ASSERT_ASKED (f, "q.1", NULL);
  ASSERT_ASKED (f, "source", "en");
  ASSERT_ASKED (f, "target", "es");
  ASSERT_ASKED (f, "format", "text");
  ASSERT_ASKED (f, "api_key", KEY);
}

static void
test_libretranslate_languages (Fixture *f, gconstpointer data)
{
  static const char *const cases[][4] = {
      {"en-GB", "zh-TW", "en", "zh-Hant"},
      {"pt-BR", "zh-HK", "pt-BR", "zh-Hant"},
      {"pt-PT", "zh-Hant", "pt", "zh-Hant"},
      {"zh-CN", "no", "zh", "nb"},
      {"auto", "deu", "auto", "de"},
  };
  const DubTranslatorProvider *provider = f->translator->provider;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    play (f, 200, "{\"translatedText\":[\"...\"]}");
    translate (f, cases[i][0], cases[i][1], "Hm.", LONG_MS);
    ASSERT_ASKED (f, "source", cases[i][2]);
    ASSERT_ASKED (f, "target", cases[i][3]);
  }
  g_assert_true (provider->supports (f->translator, "auto", "pt-BR"));
  g_assert_false (provider->supports (f->translator, "xx", "es"));
  g_assert_false (provider->supports (f->translator, "en", "xx"));
}

/* The terms stay where the server keeps the made-up words; where it does not,
 * the plain sentence is better than none. */
static void
test_libretranslate_terms (Fixture *f, gconstpointer data)
{
  static const char *const keep[] = {"Leeds", NULL};

  f->hints.keep = keep;
  play (f, 200, "{\"translatedText\":[\"¡Por ZQ0X!\",\"¡Por Ledes!\"]}");
  translate (f, "en", "es", "For Leeds!", LONG_MS);
  ASSERT_ASKED (f, "q.0", "For ZQ0X!");
  ASSERT_ASKED (f, "q.1", "For Leeds!");
  g_assert_cmpstr (f->text, ==, "¡Por Leeds!");
  play (f, 200, "{\"translatedText\":[\"¡Por Z!\",\"¡Por Ledes!\"]}");
  translate (f, "en", "es", "For Leeds!", LONG_MS);
  g_assert_cmpstr (f->text, ==, "¡Por Ledes!");
}

/* ---- chat ------------------------------------------------------------------
 */

#define CHAT(text, reason)                                                     \
  "{\"id\":\"c1\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,"   \
  "\"message\":{\"role\":\"assistant\",\"content\":\"" text                    \
  "\"},\"finish_reason\":\"" reason "\"}],\"usage\":{\"total_tokens\":9}}"

static void
test_chat (Fixture *f, gconstpointer data)
{
  static const char *const context[] = {"He shoots.", NULL};
  static const char *const keep[] = {"Leeds", NULL};
  static const DubGlossaryEntry glossary[] = {{"keeper", "portero"}, {NULL}};
  g_autofree char *prompt = NULL;
  const HttpPeerRequest *request;

  f->hints = (DubTranslationHints){.domain = "sports",
      .context = context,
      .keep = keep,
      .glossary = glossary,
      .formality = "formal",
      .max_chars = 40};
  play (f, 200, CHAT ("El portero de Leeds.", "stop"));
  translate (f, "en", "es", "The keeper of Leeds.", LONG_MS);
  g_assert_no_error (f->error);
  g_assert_cmpstr (f->text, ==, "El portero de Leeds.");
  request = http_peer_get (f->peer, 0);
  g_assert_cmpstr (request->path, ==, "/chat/completions");
  g_assert_cmpstr (g_hash_table_lookup (request->headers, "authorization"), ==,
      "Bearer " KEY);
  ASSERT_ASKED (f, "model", "mt-7b");
  ASSERT_ASKED (f, "temperature", "0");
  ASSERT_ASKED (f, "max_tokens", "64");
  ASSERT_ASKED (f, "stream", "false");
  ASSERT_ASKED (f, "messages.0.role", "system");
  ASSERT_ASKED (f, "messages.1.content", "The keeper of Leeds.");
  prompt = asked (f, "messages.0.content");
  g_assert_nonnull (strstr (prompt, "from English into Spanish"));
  g_assert_nonnull (strstr (prompt, "sports"));
  g_assert_nonnull (strstr (prompt, "formal"));
  g_assert_nonnull (strstr (prompt, "40 characters"));
  g_assert_nonnull (strstr (prompt, "Leave as it is: Leeds"));
  g_assert_nonnull (strstr (prompt, "Translate \"keeper\" as \"portero\""));
  g_assert_nonnull (strstr (prompt, "- He shoots."));
}

/* What is not known is not said: no wish, no language, no domain. */
static void
test_chat_knows_nothing (Fixture *f, gconstpointer data)
{
  const DubTranslatorProvider *provider = f->translator->provider;
  g_autofree char *prompt = NULL;

  f->hints.domain = "general";
  play (f, 200, CHAT ("Hola.", "stop"));
  translate (f, "auto", "pt-BR", "Hello.", LONG_MS);
  prompt = asked (f, "messages.0.content");
  g_assert_nonnull (strstr (prompt, "a live broadcast into Portuguese."));
  g_assert_null (strstr (prompt, "characters"));
  g_assert_null (strstr (prompt, "about"));
  g_assert_null (strstr (prompt, "Address"));
  g_assert_null (strstr (prompt, "Just before"));
  g_assert_true (provider->supports (f->translator, "auto", "es"));
  g_assert_false (provider->supports (f->translator, "xx", "es"));
  g_assert_false (provider->supports (f->translator, "en", "xx"));
}

static void
test_chat_guards (Fixture *f, gconstpointer data)
{
  static const char *const answers[] = {
      CHAT ("", "stop"),
      CHAT ("Hola", "length"),
      CHAT ("Hola", "content_filter"),
      CHAT ("Keep every fact, every negation, every name and every number.",
          "stop"),
      CHAT ("Привет всем вам", "stop"),
      CHAT ("Hello to all of you", "stop"),
      "{\"choices\":[]}",
      "{\"choices\":[{\"message\":{\"content\":null}}]}",
      "{\"choices\":{\"message\":3}}",
      "[]",
      "not json",
      "",
  };

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++) {
    play (f, 200, answers[i]);
    translate (f, "en", "es", "Hello to all of you", LONG_MS);
    g_assert_nonnull (f->error);
    g_assert_true (f->error->code == DUB_ERROR_ENGINE ||
                   f->error->code == DUB_ERROR_PROTOCOL);
    g_assert_null (strstr (f->error->message, "Hello"));
  }
}

/* ---- all of them --------------------------------------------------------- */

typedef struct {
  guint status;
  const char *body;
  DubErrorCode code;
} ErrorCase;

static void
test_errors (Fixture *f, gconstpointer data)
{
  static const ErrorCase cases[] = {
      {400, "{\"message\":\"Value for 'target_lang' not supported.\"}",
          DUB_ERROR_INVALID},
      {400, "{\"error\":\"xx is not supported\"}", DUB_ERROR_INVALID},
      {401, "{\"error\":{\"message\":\"bad " KEY "\",\"code\":null}}",
          DUB_ERROR_AUTH},
      {403, "{\"error\":\"Invalid API key\"}", DUB_ERROR_AUTH},
      {404, "{\"detail\":\"Not Found\"}", DUB_ERROR_NOT_FOUND},
      {413, "", DUB_ERROR_LIMIT},
      {456, "{\"message\":\"Quota exceeded\"}", DUB_ERROR_AUTH},
      {200, "<html>not json</html>", DUB_ERROR_PROTOCOL},
      {200, "{\"translations\":\"none\",\"translatedText\":{},\"choices\":0}",
          DUB_ERROR_PROTOCOL},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    play (f, cases[i].status, cases[i].body);
    translate (f, "en", "es", "Hello there.", LONG_MS);
    g_assert_error (f->error, DUB_ERROR, (gint) cases[i].code);
    g_assert_true (g_str_has_prefix (f->error->message, data));
    g_assert_null (strstr (f->error->message, KEY));
  }
}

static void
test_deadline (Fixture *f, gconstpointer data)
{
  http_peer_push (f->peer, (HttpPeerAnswer){.raw = "", .end = HTTP_PEER_HOLD});
  translate (f, "en", "es", "Hello.", 200);
  g_assert_error (f->error, DUB_ERROR, DUB_ERROR_TIMEOUT);
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  DubTranslationRequest request = {.text = "Hello.",
      .source = "en",
      .target = "es",
      .deadline_ns = g_get_monotonic_time () * 1000 + DUB_NS_PER_S};
  const DubTranslatorProvider *provider = f->translator->provider;
  guint64 id = provider->translate (f->translator, &request, on_translated, f);

  provider->cancel (f->translator, id);
  provider->cancel (f->translator, id);
  http_peer_settle ();
  g_assert_false (f->is_done);
}

int
main (int argc, char *argv[])
{
  static const char *const all[] = {"deepl", "libretranslate", "openai"};

  g_test_init (&argc, &argv, NULL);
#define ADD(provider, name, func)                                              \
  g_test_add ("/sts/http-translators/" name, Fixture, provider, set_up, func,  \
      tear_down)
  ADD ("deepl", "deepl", test_deepl);
  ADD ("deepl", "deepl-languages", test_deepl_languages);
  ADD ("deepl", "deepl-hints", test_deepl_hints);
  ADD ("deepl", "deepl-without-key", test_deepl_without_key);
  ADD ("libretranslate", "libretranslate", test_libretranslate);
  ADD ("libretranslate", "libretranslate-languages",
      test_libretranslate_languages);
  ADD ("libretranslate", "libretranslate-terms", test_libretranslate_terms);
  ADD ("openai", "chat", test_chat);
  ADD ("openai", "chat-knows-nothing", test_chat_knows_nothing);
  ADD ("openai", "chat-guards", test_chat_guards);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    g_autofree char *path =
        g_strconcat ("/sts/http-translators/", all[i], "/", NULL);
    g_autofree char *errors = g_strconcat (path, "errors", NULL);
    g_autofree char *deadline = g_strconcat (path, "deadline", NULL);
    g_autofree char *cancel = g_strconcat (path, "cancel", NULL);
    g_test_add (errors, Fixture, all[i], set_up, test_errors, tear_down);
    g_test_add (deadline, Fixture, all[i], set_up, test_deadline, tear_down);
    g_test_add (cancel, Fixture, all[i], set_up, test_cancel, tear_down);
  }
  return g_test_run ();
}
