/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.engine"

#include "commands.h"

#include "asr/moonshine_engine.h"
#include "asr/whisper_engine.h"
#include "engine/engine_child.h"
#include "translation/apertium_engine.h"
#include "tts/espeak_engine.h"
#include "tts/kokoro_engine.h"
#include "tts/piper_engine.h"

#include <dubbing_common/log.h>
#include <fcntl.h>
#include <sysexits.h>

#define ENGINE_FD 3

static const DubEngineKind *const kinds[] = {&dub_whisper_engine,
    &dub_moonshine_engine, &dub_piper_engine, &dub_kokoro_engine,
    &dub_espeak_engine, &dub_apertium_engine, NULL};

int
dub_command_engine (int argc, char **argv)
{
  const char *kind = argc > 2 ? argv[2] : "";

  for (guint i = 0; kinds[i] != NULL; i++) {
    if (!g_str_equal (kind, kinds[i]->kind))
      continue;
    if (fcntl (ENGINE_FD, F_GETFD) < 0) {
      dub_error ("engine %s: it is started by the service, with a socket as "
                 "descriptor %d",
          kind, ENGINE_FD);
      return EX_USAGE;
    }
    return dub_engine_child_run (kinds[i], ENGINE_FD);
  }
  dub_error ("engine '%s' is not known (whisper, moonshine, piper, kokoro, "
             "espeak, apertium)",
      kind);
  return EX_USAGE;
}
