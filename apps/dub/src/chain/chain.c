/* SPDX-License-Identifier: Apache-2.0 */
#include "chain.h"

#include <dubbing_common/error.h>
#include <string.h>

/* 2.3 s of engines for a segment of 5 s. */
#define MAX_LIVE_RTF 0.46
/* What of the machine engines may take when nothing is to be late, and what
 * the worker and the media server take of a core for each stream. */
#define MAX_LOAD 0.8
#define WORKER_LOAD 0.1

/* "pt-BR" and "pt" are one language to us. */
static gboolean
is_language (const char *a, const char *b)
{
  gsize length = strcspn (a, "-_");

  return length == strcspn (b, "-_") && g_ascii_strncasecmp (a, b, length) == 0;
}

static gboolean
has_pair (const char *pair, const DubChainWish *wish)
{
  const char *dash = strchr (pair, '-');
  g_autofree char *source = NULL;

  if (dash == NULL)
    return FALSE;
  source = g_strndup (pair, (gsize) (dash - pair));
  return is_language (dash + 1, wish->to) &&
         (g_str_equal (wish->from, "auto") || is_language (source, wish->from));
}

static gboolean
fits (const DubEngine *engine, const DubChainWish *wish)
{
  g_auto (GStrv) words = g_strsplit (engine->languages, " ", -1);
  gboolean is_translation = g_str_equal (engine->stage, "translation");

  if (g_str_equal (engine->languages, "*"))
    return TRUE;
  for (guint i = 0; words[i] != NULL; i++)
    if (is_translation ? has_pair (words[i], wish)
                       : is_language (words[i], wish->to))
      return TRUE;
  return FALSE;
}

/* A recogniser hears the source, not the target. One that does not tell how
 * sure it is (docs/internals/speech.md) is for who names it. */
static gboolean
hears (const DubEngine *engine, const DubChainWish *wish)
{
  gboolean must_translate =
      is_language (wish->to, "en") && !is_language (wish->from, "en");

  if (g_str_equal (engine->provider, "moonshine") ||
      (must_translate && !engine->translates))
    return FALSE;
  return g_str_equal (engine->languages, "*") ||
         is_language (engine->languages, wish->from);
}

static gboolean
is_usable (const DubEngine *engine, const char *stage, const DubChainWish *wish)
{
  if (!g_str_equal (engine->stage, stage))
    return FALSE;
  if (g_str_equal (stage, "synthesis") && wish->synthesiser != NULL &&
      !g_str_equal (wish->synthesiser, "auto") &&
      !g_str_equal (wish->synthesiser, engine->provider))
    return FALSE;
  return g_str_equal (stage, "recognition") ? hears (engine, wish)
                                            : fits (engine, wish);
}

static GPtrArray *
usable (const DubEngines *engines, const DubChainWish *wish, const char *stage)
{
  GPtrArray *found = g_ptr_array_new ();

  for (guint i = 0; i < engines->list->len; i++) {
    DubEngine *engine = engines->list->pdata[i];

    if (is_usable (engine, stage, wish) && g_str_equal (engine->state, "ready"))
      g_ptr_array_add (found, engine);
  }
  return found;
}

/* What would do, were it there: rather what is usual than what is to be known
 * something of. (nullable) */
static const DubEngine *
what_brings (
    const DubEngines *engines, const DubChainWish *wish, const char *stage)
{
  const DubEngine *found = NULL;

  for (guint i = 0; i < engines->list->len; i++) {
    const DubEngine *engine = engines->list->pdata[i];

    if (!is_usable (engine, stage, wish))
      continue;
    if (*engine->about == '\0')
      return engine;
    found = found != NULL ? found : engine;
  }
  return found;
}

static gboolean
fail (const DubEngines *engines, const DubChainWish *wish, const char *stage,
    GError **error)
{
  const DubEngine *engine = what_brings (engines, wish, stage);

  if (engine == NULL && wish->synthesiser != NULL &&
      !g_str_equal (wish->synthesiser, "auto"))
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "there is no synthesiser %s of %s (kokoro, piper, espeak)",
        wish->synthesiser, wish->to);
  else if (engine == NULL)
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "there is no %s from %s into %s", stage, wish->from, wish->to);
  else
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "%s into %s is missing: %s%s%s (%s brings it)", stage, wish->to,
        engine->provider, *engine->model ? " " : "", engine->model,
        engine->bring);
  return FALSE;
}

/* Many things bring a translation: who asks has one of them, or can. */
static gboolean
fail_translation (
    const DubEngines *engines, const DubChainWish *wish, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < engines->list->len; i++) {
    const DubEngine *engine = engines->list->pdata[i];

    if (is_usable (engine, "translation", wish))
      g_string_append_printf (
          names, "%s (%s), ", engine->provider, engine->bring);
  }
  if (names->len == 0)
    return fail (engines, wish, "translation", error);
  g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
      "nothing here translates %s into %s; this would: %sor a package of "
      "Apertium's for the pair",
      wish->from, wish->to, names->str);
  return FALSE;
}

/* -- the languages ------------------------------------------------------- */

static gboolean
is_tag (const char *text)
{
  gsize length = strcspn (text, "-_");

  if (length < 2 || length > 3 || strlen (text) > 16)
    return FALSE;
  for (const char *at = text; *at != '\0'; at++)
    if (at - text < (gssize) length
            ? !g_ascii_isalpha (*at)
            : !g_ascii_isalnum (*at) && *at != '-' && *at != '_')
      return FALSE;
  return TRUE;
}

gboolean
dub_chain_check_wish (const DubChainWish *wish, GError **error)
{
  gboolean is_from = g_str_equal (wish->from, "auto") || is_tag (wish->from);

  if (is_from && is_tag (wish->to))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "--%s: \"%s\" is no language tag, such as es, de or pt-BR",
      is_from ? "to" : "from", is_from ? wish->to : wish->from);
  return FALSE;
}

static void
judge (DubChain *chain, guint cores)
{
  const DubEngine *parts[] = {
      chain->recognition, chain->translation, chain->synthesis};
  double threads = MAX (1, (double) cores - 1), slowest = 0;

  chain->rtf = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++) {
    if (parts[i] == NULL || parts[i]->is_remote)
      continue;
    if (!parts[i]->is_measured) {
      chain->rtf = 0;
      return;
    }
    chain->rtf += parts[i]->rtf;
    slowest = MAX (slowest, parts[i]->rtf);
  }
  chain->is_live = chain->rtf <= MAX_LIVE_RTF;
  if (!chain->is_live)
    return;
  chain->live_streams = (guint) MAX (
      1, MIN (MAX_LOAD / slowest,
             MAX_LOAD * cores / (chain->rtf * threads + WORKER_LOAD)));
}

static gboolean
is_better (const DubChain *chain, const DubChain *best, gboolean wants_live)
{
  if (best->recognition == NULL)
    return TRUE;
  if (!wants_live || best->is_live)
    return FALSE;
  return chain->is_live || (chain->rtf > 0 && chain->rtf < best->rtf);
}

typedef struct {
  GPtrArray *recognition, *translation, *synthesis;
} Choice;

/* Every one with every one: the first that will do is the best, as each list
 * begins with its best. */
static void
try_all (const Choice *choice, guint cores, gboolean wants_live, DubChain *best)
{
  guint n_translation = MAX (1, choice->translation->len);

  for (guint s = 0; s < choice->synthesis->len; s++)
    for (guint r = 0; r < choice->recognition->len; r++)
      for (guint t = 0; t < n_translation; t++) {
        DubChain chain = {
            .recognition = choice->recognition->pdata[r],
            .translation = choice->translation->len > 0
                               ? choice->translation->pdata[t]
                               : NULL,
            .synthesis = choice->synthesis->pdata[s],
        };

        judge (&chain, cores);
        if (is_better (&chain, best, wants_live))
          *best = chain;
      }
}

gboolean
dub_chain_pick (const DubEngines *engines, const DubChainWish *wish,
    DubChain *ret_chain, GError **error)
{
  gboolean needs_translation =
      !is_language (wish->to, "en") && !is_language (wish->from, wish->to);
  g_autoptr (GPtrArray) recognition = usable (engines, wish, "recognition");
  g_autoptr (GPtrArray) translation =
      needs_translation ? usable (engines, wish, "translation")
                        : g_ptr_array_new ();
  g_autoptr (GPtrArray) synthesis = usable (engines, wish, "synthesis");
  DubChain best = {NULL};

  if (recognition->len == 0)
    return fail (engines, wish, "recognition", error);
  if (needs_translation && translation->len == 0)
    return fail_translation (engines, wish, error);
  if (synthesis->len == 0)
    return fail (engines, wish, "synthesis", error);
  try_all (&(Choice){recognition, translation, synthesis}, engines->cores,
      wish->wants_live, &best);
  *ret_chain = best;
  return TRUE;
}

static void
append_engine (GString *text, const DubEngine *engine)
{
  if (engine == NULL)
    return;
  g_string_append_printf (text, "%s%s%s%s", text->len > 0 ? " + " : "",
      engine->provider, *engine->model ? " " : "", engine->model);
}

char *
dub_chain_to_string (const DubChain *chain)
{
  GString *text = g_string_new (NULL);

  append_engine (text, chain->recognition);
  append_engine (text, chain->translation);
  append_engine (text, chain->synthesis);
  if (chain->rtf > 0)
    g_string_append_printf (
        text, " (%.2f s of work per second of speech)", chain->rtf);
  return g_string_free (text, FALSE);
}

char **
dub_chain_add_to_environment (const DubChain *chain, char **environment)
{
  char **env = environment;

  env = g_environ_setenv (
      env, "ASR_PROVIDER", chain->recognition->provider, TRUE);
  env = g_environ_setenv (env, "ASR_MODEL", chain->recognition->model, TRUE);
  if (chain->translation != NULL)
    env = g_environ_setenv (
        env, "TRANSLATION_PROVIDER", chain->translation->provider, TRUE);
  env =
      g_environ_setenv (env, "TTS_PROVIDER", chain->synthesis->provider, TRUE);
  if (g_str_equal (chain->synthesis->provider, "piper"))
    env = g_environ_setenv (env, "TTS_VOICE", chain->synthesis->model, TRUE);
  return env;
}
