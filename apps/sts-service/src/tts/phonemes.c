/* SPDX-License-Identifier: Apache-2.0 */
#include "phonemes.h"

#include <dubbing_common/error.h>
#include <string.h>

#ifdef HAVE_ESPEAK
#include <espeak-ng/speak_lib.h>
#endif

#define COMBINING_CEDILLA 0x0327

static gboolean
append_known (GArray *sentence, gunichar c, GHashTable *known)
{
  if (!g_hash_table_contains (known, GUINT_TO_POINTER (c)))
    return FALSE;
  g_array_append_val (sentence, c);
  return TRUE;
}

/* Whole, else in its parts: Kokoro knows "ç", but of "ũ" only u and tilde. The
 * number of those that known has not. */
static guint
append_char (GArray *sentence, gunichar c, GHashTable *known)
{
  gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];
  gsize n = 0;
  guint unknown = 0;

  if (append_known (sentence, c, known))
    return 0;
  n = g_unichar_fully_decompose (c, FALSE, parts, G_N_ELEMENTS (parts));
  if (n < 2)
    return 1;
  for (gsize i = 0; i < n; i++)
    unknown += !append_known (sentence, parts[i], known);
  return unknown;
}

/* Piper's voices were trained on decomposed IPA, Kokoro's on composed: each
 * knows the cedilla of "ç" in its own form. */
static GNormalizeMode
form_of (GHashTable *known)
{
  return g_hash_table_contains (known, GUINT_TO_POINTER (COMBINING_CEDILLA))
             ? G_NORMALIZE_NFD
             : G_NORMALIZE_NFC;
}

guint
dub_phonemes_append (
    GArray *sentence, const char *ipa, gunichar sign, GHashTable *known)
{
  g_autofree char *normal = g_utf8_normalize (ipa, -1, form_of (known));
  gboolean in_mark = FALSE;
  guint unknown = 0;

  if (normal == NULL)
    return 0;
  if (sentence->len > 0)
    append_known (sentence, ' ', known);
  for (const char *p = normal; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (c == '(')
      in_mark = TRUE;
    else if (c == ')')
      in_mark = FALSE;
    else if (c == '\n')
      append_known (sentence, ' ', known);
    else if (!in_mark && c != 0x200d &&
             strchr ("_^$", (int) MIN (c, 127)) == NULL)
      unknown += append_char (sentence, c, known);
  }
  if (sign != 0)
    append_known (sentence, sign, known);
  return unknown;
}

#ifdef HAVE_ESPEAK

gboolean
dub_phonemes_exist (void)
{
  return TRUE;
}

static gboolean
start_espeak (GError **error)
{
  static gboolean is_started;

  if (is_started)
    return TRUE;
  is_started = espeak_Initialize (AUDIO_OUTPUT_RETRIEVAL, 0, NULL,
                   espeakINITIALIZE_DONT_EXIT) >= 0;
  if (!is_started)
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "espeak-ng has no data on this machine (package espeak-ng-data)");
  return is_started;
}

gboolean
dub_phonemes_open (const char *voice, GError **error)
{
  if (!start_espeak (error))
    return FALSE;
  if (espeak_SetVoiceByName (voice) != EE_OK) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "espeak-ng has no voice '%s'", voice);
    return FALSE;
  }
  return TRUE;
}

/* The sign that ended the clause before rest: espeak-ng tells how far it read,
 * and swallows the sign. */
static gunichar
sign_before (const char *text, const char *rest)
{
  static const char *const signs = ".?!,;:";
  const char *p = rest;

  while (p > text) {
    gunichar c;
    p = g_utf8_prev_char (p);
    c = g_utf8_get_char (p);
    if (c < 128 && strchr (signs, (int) c) != NULL)
      return c;
    if (c == 0x2026 || c == 0x3002) /* … 。 */
      return '.';
    if (g_unichar_isalnum (c))
      return 0;
  }
  return 0;
}

static gboolean
ends_sentence (gunichar sign)
{
  return sign == '.' || sign == '?' || sign == '!';
}

static GArray *
sentence_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (gunichar));
}

static gboolean
has_letter (GArray *sentence)
{
  for (guint i = 0; i < sentence->len; i++)
    if (g_unichar_isalpha (g_array_index (sentence, gunichar, i)))
      return TRUE;
  return FALSE;
}

GPtrArray *
dub_phonemes_from_text (const char *text, GHashTable *known, guint *ret_unknown)
{
  GPtrArray *sentences =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  g_autoptr (GArray) sentence = sentence_new ();
  const void *rest = text;

  *ret_unknown = 0;
  while (rest != NULL) {
    const char *ipa =
        espeak_TextToPhonemes (&rest, espeakCHARS_UTF8, espeakPHONEMES_IPA);
    const char *end = rest != NULL ? rest : text + strlen (text);
    gunichar sign = sign_before (text, end);

    *ret_unknown +=
        dub_phonemes_append (sentence, ipa != NULL ? ipa : "", sign, known);
    if (rest != NULL && !ends_sentence (sign))
      continue;
    if (rest == NULL && sign == 0)
      append_known (sentence, '.', known);
    if (has_letter (sentence))
      g_ptr_array_add (sentences, g_array_ref (sentence));
    g_array_unref (sentence);
    sentence = sentence_new ();
  }
  return sentences;
}

#else

gboolean
dub_phonemes_exist (void)
{
  return FALSE;
}

gboolean
dub_phonemes_open (const char *voice, GError **error)
{
  g_set_error_literal (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "this build has no espeak-ng, and Piper voices read phonemes "
      "(-Dphonemes-espeak=enabled)");
  return FALSE;
}

GPtrArray *
dub_phonemes_from_text (const char *text, GHashTable *known, guint *ret_unknown)
{
  *ret_unknown = 0;
  return g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
}

#endif
