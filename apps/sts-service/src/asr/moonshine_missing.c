/* SPDX-License-Identifier: Apache-2.0 */
#include "moonshine_engine.h"

#include <dubbing_common/error.h>

/* Stands in for moonshine_engine.c in a build without sherpa-onnx. */

static gpointer
missing_load (const DubFrame *settings, JsonObject *ready, GError **error)
{
  g_set_error_literal (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "this build has no sherpa-onnx (make engines, then build with "
      "-Dspeech-sherpa=enabled)");
  return NULL;
}

const DubEngineKind dub_moonshine_engine = {
    .kind = "moonshine", .load = missing_load};
