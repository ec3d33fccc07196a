/* SPDX-License-Identifier: Apache-2.0 */
#include "whisper_engine.h"

#include <dubbing_common/error.h>

/* Stands in for whisper_engine.c in a build without whisper.cpp. */

static gpointer
missing_load (const DubFrame *settings, JsonObject *ready, GError **error)
{
  g_set_error_literal (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "this build has no whisper.cpp (make engines, then build with "
      "-Dasr-whisper=enabled)");
  return NULL;
}

const char *
dub_whisper_language (const char *tag)
{
  return NULL;
}

const DubEngineKind dub_whisper_engine = {
    .kind = "whisper",
    .load = missing_load,
};
