/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "settings.h"
#include "voices.h"

#include <dubbing_common/metrics.h>
#include <gio/gio.h>
#include <glib.h>

/*
 * A synthesiser: text in, sound out. Which one is chosen by name out of
 * dub_tts_providers.
 *
 * Main thread only; nothing blocks; done is called exactly once, later, and
 * not at all after cancel.
 */
G_BEGIN_DECLS

/* samples: mono float32; NULL with error. */
typedef void (*DubTtsDoneFunc) (
    GBytes *samples, guint rate_hz, const GError *error, gpointer user_data);

typedef struct {
  const char *const *engine_argv; /* program and its first arguments */
  const char *models_dir;
  guint threads;
  DubMetrics *metrics;          /* (nullable) */
  const DubTtsOptions *options; /* (nullable): what the user set */
  DubVoices *voices;            /* who speaks what */
} DubTtsSettings;

typedef struct {
  const char *text;
  const char *language;
  const char *voice; /* a profile */
  double speed;      /* 1.2 asks for a rate 1.2 times the normal one */
  gint64 deadline_ns;
  const char *speaker; /* label of who speaks (nullable) */
} DubTtsRequest;

typedef struct _DubTts DubTts;

typedef struct {
  const char *name;
  DubTts *(*create) (const DubTtsSettings *settings);
  void (*free) (DubTts *self);
  gboolean (*is_ready) (DubTts *self, GError **error);
  /* voice: a profile of the voices file, or "default". */
  gboolean (*has_voice) (DubTts *self, const char *language, const char *voice);
  guint64 (*synthesise) (DubTts *self, const DubTtsRequest *request,
      DubTtsDoneFunc done, gpointer user_data);
  void (*cancel) (DubTts *self, guint64 id);
  /* Is a line of the voices file, which names this provider, one that it can
   * speak with? Optional; what cannot be known yet is TRUE. */
  gboolean (*check_voice) (DubTts *self, const DubVoice *voice, GError **error);
} DubTtsProvider;

struct _DubTts {
  const DubTtsProvider *provider;
};

extern const DubTtsProvider dub_tts_piper;
extern const DubTtsProvider dub_tts_kokoro;
extern const DubTtsProvider dub_tts_espeak;
/* NULL-terminated; the first is the default. */
extern const DubTtsProvider *const dub_tts_providers[];

const DubTtsProvider *dub_tts_provider_find (const char *name);

/* Creates the provider of that name (DUB_ERROR_NOT_FOUND) and checks the lines
 * of a voices file that the user gave. (transfer full) (nullable) */
DubTts *dub_tts_start (
    const char *name, const DubTtsSettings *settings, GError **error);

/* Every line of voices that is the provider's, checked; the message names
 * file, line, language and voice. */
gboolean dub_tts_check_voices (
    DubTts *self, const DubVoices *voices, GError **error);

/* The voice of a request, out of the voices file. (nullable) */
const DubVoice *dub_tts_find_voice (
    const DubTts *self, const DubVoices *voices, const DubTtsRequest *request);

G_END_DECLS
