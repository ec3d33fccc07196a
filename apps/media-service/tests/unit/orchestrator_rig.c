/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator_rig.h"

#include <glib/gstdio.h>

void
orchestrator_rig_init (OrchestratorRig *rig, const char *worker)
{
  g_autofree char *runtime = NULL;
  g_autofree char *command =
      worker ? g_strconcat ("ORCH_WORKER_COMMAND=", worker, NULL) : NULL;
  char *environment[] = {NULL, command, NULL};

  rig->folder = g_dir_make_tmp ("dub-rig-XXXXXX", NULL);
  runtime = g_strconcat ("RUNTIME_DIR=", rig->folder, NULL);
  environment[0] = runtime;
  g_assert_true (dub_service_settings_load (
      &rig->settings, NULL, NULL, environment, NULL));
  rig->metrics = dub_metrics_new ();
  rig->orchestrator = dub_orchestrator_new (&rig->settings, rig->metrics);
}

void
orchestrator_rig_clear (OrchestratorRig *rig)
{
  dub_orchestrator_free (rig->orchestrator);
  dub_metrics_unref (rig->metrics);
  dub_service_settings_clear (&rig->settings);
  g_rmdir (rig->folder);
  g_free (rig->folder);
}
