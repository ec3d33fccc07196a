/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.tts"

#include "tts.h"

#include "engine/fallback.h"
#include "engine/provider_list.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>

/* Several synthesisers as one, in the order of a list. */

typedef struct {
  DubTts base;
  DubTtsProvider provider; /* chain, with the list for its name */
  DubFallback *list;
} Chain;

/* ---- what the list asks of a member -------------------------------------- */

static const char *
member_name (gpointer engine)
{
  return ((DubTts *) engine)->provider->name;
}

static gboolean
member_is_ready (gpointer engine, GError **error)
{
  return ((DubTts *) engine)->provider->is_ready (engine, error);
}

static gboolean
member_is_able (gpointer engine, gconstpointer data)
{
  const DubTtsRequest *request = data;

  return ((DubTts *) engine)
      ->provider->has_voice (engine, request->language, request->voice);
}

static void
on_spoken (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data)
{
  DubFallbackCall *call = user_data;
  DubFallbackEnd end;
  DubTts *self = NULL;

  if (samples == NULL && dub_fallback_call_retry (call, error))
    return;
  end = dub_fallback_call_end (call, samples != NULL);
  self = end.owner;
  self->engine = end.engine;
  self->max_speed = end.member != NULL ? ((DubTts *) end.member)->max_speed : 0;
  ((DubTtsDoneFunc) end.done) (samples, rate_hz, error, end.user_data);
}

static void
member_fail (DubFallbackCall *call, const GError *error)
{
  on_spoken (NULL, 0, error, call);
}

static guint64
member_begin (gpointer engine, gconstpointer request, DubFallbackCall *call)
{
  return ((DubTts *) engine)
      ->provider->synthesise (engine, request, on_spoken, call);
}

static void
member_cancel (gpointer engine, guint64 id)
{
  ((DubTts *) engine)->provider->cancel (engine, id);
}

static void
member_free (gpointer engine)
{
  ((DubTts *) engine)->provider->free (engine);
}

static const DubFallbackFuncs funcs = {"tts", member_name, member_is_ready,
    member_is_able, member_begin, member_cancel, member_free, member_fail};

/* ---- as one synthesiser --------------------------------------------- */

static void
chain_free (DubTts *base)
{
  Chain *self = (Chain *) base;

  dub_fallback_free (self->list);
  g_free ((char *) self->provider.name);
  g_free (self);
}

static gboolean
chain_is_ready (DubTts *base, GError **error)
{
  return dub_fallback_is_ready (((Chain *) base)->list, error);
}

static gboolean
chain_has_voice (DubTts *base, const char *language, const char *voice)
{
  const DubTtsRequest request = {.language = language, .voice = voice};

  return dub_fallback_choose (((Chain *) base)->list, &request) != NULL;
}

static guint64
chain_synthesise (DubTts *base, const DubTtsRequest *request,
    DubTtsDoneFunc done, gpointer user_data)
{
  return dub_fallback_ask (((Chain *) base)->list, request, sizeof *request,
      request->deadline_ns, G_CALLBACK (done), user_data);
}

static void
chain_cancel (DubTts *base, guint64 id)
{
  dub_fallback_cancel (((Chain *) base)->list, id);
}

static const DubTtsProvider chain = {
    .free = chain_free,
    .is_ready = chain_is_ready,
    .has_voice = chain_has_voice,
    .synthesise = chain_synthesise,
    .cancel = chain_cancel,
};

/* ---- out of names --------------------------------------------------- */

static gboolean
is_installed (gconstpointer provider, gconstpointer settings)
{
  const DubTtsProvider *self = provider;

  return self->is_installed == NULL || self->is_installed (settings);
}

static gboolean
check_line (DubTts *self, const DubVoices *voices, const DubVoice *voice,
    GError **error)
{
  g_autoptr (GError) local = NULL;

  if (self->provider->check_voice == NULL ||
      !g_str_equal (voice->engine, self->provider->name) ||
      self->provider->check_voice (self, voice, &local))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "%s, line %u: %s, voice '%s': %s", dub_voices_name (voices), voice->line,
      voice->language, voice->voice, local->message);
  return FALSE;
}

/* Every line that a member of the list speaks. */
static gboolean
check_voices (Chain *self, const DubVoices *voices, GError **error)
{
  for (guint i = 0; i < dub_fallback_get_n (self->list); i++)
    for (guint j = 0; j < dub_voices_count (voices); j++)
      if (!check_line (dub_fallback_get (self->list, i), voices,
              dub_voices_get (voices, j), error))
        return FALSE;
  return TRUE;
}

/* Mocks speak with any voice. */
static gboolean
is_spoken_by_any (Chain *self, const char *engine)
{
  for (guint i = 0; i < dub_fallback_get_n (self->list); i++) {
    const char *name = member_name (dub_fallback_get (self->list, i));

    if (g_str_equal (name, engine) || g_str_has_prefix (name, "mock"))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_of_same_language (const DubVoice *a, const DubVoice *b)
{
  return g_str_equal (a->profile, b->profile) &&
         g_str_equal (a->language, b->language);
}

/* Of a voice's language and profile: its first line, and a line that is
 * spoken; G_MAXUINT: there is none. */
static void
find_lines (Chain *self, const DubVoices *voices, const DubVoice *voice,
    guint *ret_first, guint *ret_spoken)
{
  *ret_first = *ret_spoken = G_MAXUINT;
  for (guint i = 0; i < dub_voices_count (voices); i++) {
    const DubVoice *other = dub_voices_get (voices, i);

    if (!is_of_same_language (voice, other))
      continue;
    *ret_first = MIN (*ret_first, i);
    if (is_spoken_by_any (self, other->engine))
      *ret_spoken = MIN (*ret_spoken, i);
  }
}

/* One file may serve several machines, so a language that nobody speaks here
 * is no error, but is told; a file of which nobody speaks anything is one. */
static gboolean
check_languages (Chain *self, const DubVoices *voices, GError **error)
{
  g_autoptr (GString) mute = g_string_new (NULL);
  gboolean is_any_spoken = FALSE;

  for (guint i = 0; i < dub_voices_count (voices); i++) {
    const DubVoice *voice = dub_voices_get (voices, i);
    guint first, spoken;

    find_lines (self, voices, voice, &first, &spoken);
    is_any_spoken |= spoken != G_MAXUINT;
    if (first == i && spoken == G_MAXUINT)
      g_string_append_printf (mute, "%s%s (line %u)", mute->len > 0 ? ", " : "",
          voice->language, voice->line);
  }
  if (!is_any_spoken) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "%s: none of its voices is one of %s, which TTS_PROVIDER has here",
        dub_voices_name (voices), self->provider.name);
    return FALSE;
  }
  if (mute->len > 0)
    dub_warning ("%s: nobody here speaks %s; TTS_PROVIDER has %s",
        dub_voices_name (voices), mute->str, self->provider.name);
  return TRUE;
}

static Chain *
chain_alloc (GPtrArray *providers, const DubTtsSettings *settings)
{
  Chain *self = g_new0 (Chain, 1);

  self->base.provider = &self->provider;
  self->list = dub_fallback_new (&funcs, self, settings->metrics);
  for (guint i = 0; i < providers->len; i++) {
    const DubTtsProvider *provider = g_ptr_array_index (providers, i);
    dub_fallback_add (self->list, provider->create (settings));
  }
  self->provider = chain;
  self->provider.name = dub_fallback_dup_names (self->list);
  return self;
}

static const char *
voices_file (const DubTtsSettings *settings)
{
  const char *file =
      settings->options != NULL ? settings->options->voices_file : NULL;

  return file != NULL && *file != '\0' ? file : NULL;
}

DubTts *
dub_tts_chain_new (
    const char *names, const DubTtsSettings *settings, GError **error)
{
  const char *file = voices_file (settings);
  g_autoptr (DubVoices) voices = settings->voices != NULL
                                     ? dub_voices_ref (settings->voices)
                                     : dub_voices_load (file, error);
  DubTtsSettings own = *settings;
  const DubProviderList all = {.option = "TTS_PROVIDER",
      .all = (gconstpointer const *) dub_tts_providers,
      .is_installed = is_installed,
      .settings = &own};
  g_autoptr (GPtrArray) chosen = NULL;
  Chain *self = NULL;

  if (voices == NULL)
    return NULL;
  own.voices = voices;
  chosen = dub_provider_list_parse (&all, names, error);
  if (chosen == NULL)
    return NULL;
  self = chain_alloc (chosen, &own);
  /* Of the built-in voices not everything need be here. */
  if (file == NULL || (check_voices (self, voices, error) &&
                          check_languages (self, voices, error)))
    return &self->base;
  chain_free (&self->base);
  return NULL;
}
