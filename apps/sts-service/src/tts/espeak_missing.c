/* SPDX-License-Identifier: Apache-2.0 */
#include "espeak_engine.h"

#include <dubbing_common/error.h>

/* Stands in for espeak_engine.c in a build without espeak-ng. */

static gpointer
missing_load (const DubFrame *settings, JsonObject *ready, GError **error)
{
  g_set_error_literal (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "this build has no espeak-ng (libespeak-ng-dev, and "
      "-Dphonemes-espeak=enabled)");
  return NULL;
}

const DubEngineKind dub_espeak_engine = {
    .kind = "espeak", .load = missing_load};

char *
dub_espeak_find_voice (const char *name)
{
  return NULL;
}
