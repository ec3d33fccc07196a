/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Which providers a setting such as ASR_PROVIDER names: "whisper",
 * "deepl,apertium", or "auto" for all that are installed here, in the build's
 * own order. Providers whose names begin with "mock" are for tests: never part
 * of "auto", and a warning is logged when one is named; "mock" is the first.
 *
 * Main thread only.
 */
G_BEGIN_DECLS

typedef struct {
  const char *option; /* "ASR_PROVIDER", for messages */
  /* NULL-terminated; each one's struct begins with its name. */
  gconstpointer const *all;
  /* Its model, its program, its key are there. */
  gboolean (*is_installed) (gconstpointer provider, gconstpointer settings);
  gconstpointer settings;
  /* A name that is no provider but allowed in the list (nullable). */
  const char *other;
} DubProviderList;

/* Never empty. DUB_ERROR_NOT_FOUND names what this build has not.
 * (element-type gconstpointer) (transfer container) (nullable) */
GPtrArray *dub_provider_list_parse (
    const DubProviderList *list, const char *names, GError **error);
gboolean dub_provider_list_is_auto (const char *names);
/* (nullable) */
gconstpointer dub_provider_find (gconstpointer const *all, const char *name);

G_END_DECLS
