/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine_client.h"

G_BEGIN_DECLS

/* What every provider with a child of its own says of it. */
typedef struct {
  const char *const *argv; /* "/proc/self/exe", "engine"; kind is put behind */
  const char *kind;        /* "whisper" */
  JsonObject *load;        /* settings of the engine (transfer none) */
  DubMetrics *metrics;     /* (nullable) */
  const char *name;        /* (nullable): the kind; in messages and metrics */
} DubEngineCommand;

/* Starts the child with the client's own limits. (transfer full) */
DubEngineClient *dub_engine_command_start (const DubEngineCommand *command);

G_END_DECLS
