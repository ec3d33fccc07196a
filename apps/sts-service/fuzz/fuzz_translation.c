/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_json.h"
#include "http/http_sort.h"
#include "translation/apertium_text.h"
#include "translation/glossary.h"
#include "translation/http_translator.h"
#include "translation/text_rules.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What comes from servers, programs, files and models, by the first byte. */

#define MAX_BYTES 4096
#define TEXT "The keeper of Leeds & others."

static const char *const hints[] = {"keep:Leeds", "term:keeper=portero", NULL};

static void
read_answer (const DubHttpDialect *dialect, const char *text, size_t size)
{
  g_autoptr (GBytes) body = g_bytes_new (text, size);
  DubTranslationOptions options = {NULL};
  DubGlossaryPick pick;
  DubHttpTranslation call = {
      .request = {.text = TEXT, .source = "en", .target = "es"}};
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) request = NULL;
  g_autofree char *answer = NULL;

  dub_glossary_pick (NULL, hints, "en", "es", &pick);
  call.request.hints.keep = pick.keep;
  call.request.hints.glossary = pick.terms;
  request = dialect->make (&options, &call);
  g_assert_nonnull (request);
  answer = dub_http_translator_read (dialect, body, &call, &error);
  g_assert_true ((answer == NULL) == (error != NULL));
  g_assert_true (answer == NULL || g_utf8_validate (answer, -1, NULL));
  dub_shield_free (call.shield);
  g_free (call.prompt);
  dub_glossary_pick_clear (&pick);
}

static void
read_refusal (const char *text, size_t size)
{
  static const char *const hidden[] = {"key", NULL};
  g_autoptr (GBytes) body = g_bytes_new (text, size);
  g_autoptr (JsonNode) json = dub_http_json_parse (body, NULL);
  g_autofree char *shown = dub_http_error_text (json, hidden);

  g_assert_true (shown == NULL || strlen (shown) <= 120);
  dub_http_retry_after_ms (text, 0);
  dub_http_url_check (text, NULL);
}

static void
read_apertium (const char *text, size_t size)
{
  g_autofree char *plain = dub_apertium_unescape (text, size, TEXT);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autofree char *sent = dub_apertium_escape (valid);
  g_autofree char *back = dub_apertium_unescape (sent, strlen (sent), valid);
  g_autoptr (GPtrArray) steps G_GNUC_UNUSED =
      dub_apertium_parse_mode (text, NULL);

  g_assert_true (plain == NULL || g_utf8_validate (plain, -1, NULL));
  g_assert_nonnull (back);
}

static void
read_glossary (const char *text)
{
  g_autoptr (DubGlossary) glossary = dub_glossary_parse (text, NULL);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  const char *const from_stream[] = {valid, NULL};
  DubGlossaryPick pick;
  DubTranslationRequest request = {.text = valid, .source = "en"};

  dub_glossary_pick (glossary, from_stream, "en", "es", &pick);
  request.hints.keep = pick.keep;
  request.hints.glossary = pick.terms;
  for (DubShieldStyle style = DUB_SHIELD_WORD; style <= DUB_SHIELD_XML;
       style++) {
    g_autoptr (DubShield) shield = dub_shield_new (&request, style);
    g_autofree char *restored =
        shield != NULL
            ? dub_shield_restore (shield, dub_shield_get_text (shield))
            : NULL;
    g_assert_true ((shield == NULL) == (restored == NULL));
  }
  dub_glossary_pick_clear (&pick);
}

static void
read_text (const char *text)
{
  static const char *const languages[] = {"en", "es", "zh", "xx"};

  for (guint i = 0; i < G_N_ELEMENTS (languages); i++) {
    g_autofree char *before = dub_text_normalise (text, languages[i]);
    g_autofree char *after = dub_text_tidy (text);
    g_autofree char *rest = dub_text_take_speaker (text, NULL);

    g_assert_true (g_utf8_validate (before, -1, NULL));
    g_assert_true (g_utf8_validate (after, -1, NULL));
    g_assert_true (g_utf8_validate (rest, -1, NULL));
    dub_language_fits_script (languages[i], rest);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = NULL;

  if (size < 1 || size > MAX_BYTES)
    return 0;
  text = g_strndup ((const char *) data + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      read_answer (&dub_deepl_dialect, text, strlen (text));
      break;
    case 1:
      read_answer (&dub_libretranslate_dialect, text, strlen (text));
      break;
    case 2:
      read_answer (&dub_chat_dialect, text, strlen (text));
      break;
    case 3:
      read_refusal (text, strlen (text));
      break;
    case 4:
      read_apertium (text, strlen (text));
      break;
    case 5:
      read_glossary (text);
      break;
    default:
      read_text (text);
      break;
  }
  return 0;
}
