/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "settings.h"

#include "engine/mock_pool.h"

#include <dubbing_common/metrics.h>
#include <gio/gio.h>
#include <glib.h>

/*
 * A recogniser: sound in, text out. Some also translate in the same pass.
 * Which one is chosen by name out of dub_asr_providers.
 *
 * Main thread only; nothing blocks; done is called exactly once, later, and
 * not at all after cancel.
 */
G_BEGIN_DECLS

#define DUB_ASR_RATE_HZ 16000

typedef struct {
  const char *text;
  const char *language; /* what it sounds like; or as given */
  double no_speech;     /* 0 to 1 */
  double mean_logprob;  /* per token */
  /* What it is sure of, 0 to 1: that it heard language; that it was the one
   * that was asked for. Both 0: it does not tell. */
  double language_probability;
  double asked_probability;
} DubHeard;

/* heard: NULL with error. */
typedef void (*DubAsrDoneFunc) (
    const DubHeard *heard, const GError *error, gpointer user_data);

typedef struct {
  const char *const *engine_argv; /* program and its first arguments */
  const char *model;              /* path */
  guint threads;
  DubMetrics *metrics;          /* (nullable) */
  const DubAsrOptions *options; /* (nullable): what the user set */
  const DubMockOptions *mock;   /* (nullable) */
  const char *device;           /* "auto", "cpu", "cuda"; NULL is "auto" */
} DubAsrSettings;

typedef struct {
  GBytes *samples;      /* mono float32 at DUB_ASR_RATE_HZ */
  const char *language; /* or "auto" */
  gboolean translate;   /* into a language of translates_to */
  gint64 deadline_ns;
  const char *domain; /* "sports", "news", ... (nullable) */
  const char *target; /* what translate is into (nullable) */
  gboolean gives_way; /* one thread: what else the fragment needs comes first */
} DubAsrRequest;

typedef struct _DubAsr DubAsr;

typedef struct {
  const char *name;
  DubAsr *(*create) (const DubAsrSettings *settings);
  void (*free) (DubAsr *self);
  gboolean (*is_ready) (DubAsr *self, GError **error);
  /* "auto" is asked for too. */
  gboolean (*knows) (DubAsr *self, const char *language);
  /* In the same pass. */
  gboolean (*translates_to) (DubAsr *self, const char *language);
  guint64 (*recognise) (DubAsr *self, const DubAsrRequest *request,
      DubAsrDoneFunc done, gpointer user_data);
  void (*cancel) (DubAsr *self, guint64 id);
  /* Nothing waits: there is time for what is nice to have. */
  gboolean (*is_idle) (DubAsr *self);
  /* Built in, and what it needs is there: for "auto". (nullable): always. */
  gboolean (*is_installed) (const DubAsrSettings *settings);
} DubAsrProvider;

/* What a provider's own struct begins with. */
struct _DubAsr {
  const DubAsrProvider *provider;
  /* Of a chain, while done runs: who answered. (nullable) */
  const char *engine;
};

extern const DubAsrProvider dub_asr_whisper, dub_asr_moonshine, dub_asr_mock;
/* NULL-terminated; the first is the default. */
extern const DubAsrProvider *const dub_asr_providers[];

const DubAsrProvider *dub_asr_provider_find (const char *name);

/* Several as one: names is what ASR_PROVIDER says, see engine/provider_list.h
 * and engine/fallback.h. What a request points at must stay until done or
 * cancel. DUB_ERROR_NOT_FOUND. (transfer full) (nullable) */
DubAsr *dub_asr_chain_new (
    const char *names, const DubAsrSettings *settings, GError **error);

G_END_DECLS
