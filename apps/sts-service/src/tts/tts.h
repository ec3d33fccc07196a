/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "settings.h"
#include "voices.h"

#include "engine/mock_pool.h"

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
  const DubMockOptions *mock;   /* (nullable) */
  DubVoices *voices;            /* (nullable): the built-in ones */
} DubTtsSettings;

typedef struct {
  const char *text;
  const char *language;
  const char *voice; /* a profile */
  double speed;      /* 1.2 asks for a rate 1.2 times the normal one */
  gint64 deadline_ns;
  const char *speaker;   /* label of who speaks (nullable) */
  const char *stream_id; /* with sequence_number, whose it is (nullable) */
  guint64 sequence_number;
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
  /* Built in, and what it needs is there: for "auto". (nullable): always. */
  gboolean (*is_installed) (const DubTtsSettings *settings);
  /* Is a line of the voices file, which names this provider, one that it can
   * speak with? (nullable); what cannot be known yet is TRUE. */
  gboolean (*check_voice) (DubTts *self, const DubVoice *voice, GError **error);
} DubTtsProvider;

struct _DubTts {
  const DubTtsProvider *provider;
  /* Of a chain, while done runs: who answered. (nullable) */
  const char *engine;
  /* The fastest that it can be asked for; 0: whatever it is asked. Of a chain,
   * while done runs: of who answered. */
  double max_speed;
};

extern const DubTtsProvider dub_tts_piper;
extern const DubTtsProvider dub_tts_kokoro;
extern const DubTtsProvider dub_tts_espeak;
extern const DubTtsProvider dub_tts_elevenlabs;
extern const DubTtsProvider dub_tts_openai;
extern const DubTtsProvider dub_tts_coqui;
extern const DubTtsProvider dub_tts_mock_tone, dub_tts_mock_fixture,
    dub_tts_mock_fail_once;
/* NULL-terminated; the first is the default. */
extern const DubTtsProvider *const dub_tts_providers[];

const DubTtsProvider *dub_tts_provider_find (const char *name);

/* Several as one: names is what TTS_PROVIDER says, see engine/provider_list.h
 * and engine/fallback.h. Without voices in settings the file that its options
 * name is read and checked. What a request points at must stay until done or
 * cancel. DUB_ERROR_NOT_FOUND, DUB_ERROR_INVALID. (transfer full) (nullable) */
DubTts *dub_tts_chain_new (
    const char *names, const DubTtsSettings *settings, GError **error);

/* ---- for providers ------------------------------------------------------ */

/* (transfer full) */
DubVoices *dub_tts_settings_voices (const DubTtsSettings *settings);

/* The voice of a request, out of the voices file. (nullable) */
const DubVoice *dub_tts_find_voice (
    const DubTts *self, const DubVoices *voices, const DubTtsRequest *request);

G_END_DECLS
