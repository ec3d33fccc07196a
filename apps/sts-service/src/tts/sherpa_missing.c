/* SPDX-License-Identifier: Apache-2.0 */
#include "kokoro_engine.h"
#include "piper_engine.h"

#include <dubbing_common/error.h>

/* Stands in for the engines of sherpa-onnx in a build without it. */

static gpointer
missing_load (const DubFrame *settings, JsonObject *ready, GError **error)
{
  g_set_error_literal (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "this build has no sherpa-onnx (make engines, then build with "
      "-Dspeech-sherpa=enabled)");
  return NULL;
}

const DubEngineKind dub_piper_engine = {.kind = "piper", .load = missing_load};
const DubEngineKind dub_kokoro_engine = {
    .kind = "kokoro", .load = missing_load};
