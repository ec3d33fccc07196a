/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator/orchestrator.h"

/*
 * An orchestrator with a RUNTIME_DIR of its own and no service around it.
 *
 * Thread: the default main context.
 */
typedef struct {
  char *folder;
  DubServiceSettings settings;
  DubMetrics *metrics;
  DubOrchestrator *orchestrator;
} OrchestratorRig;

/* worker: (nullable): the program that it starts as workers */
void orchestrator_rig_init (OrchestratorRig *rig, const char *worker);
void orchestrator_rig_clear (OrchestratorRig *rig);
