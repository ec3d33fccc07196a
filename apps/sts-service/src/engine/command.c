/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

static char **
argv_for (const char *const *base, const char *kind)
{
  GPtrArray *argv = g_ptr_array_new ();

  for (guint i = 0; base[i] != NULL; i++)
    g_ptr_array_add (argv, g_strdup (base[i]));
  g_ptr_array_add (argv, g_strdup (kind));
  g_ptr_array_add (argv, NULL);
  return (char **) g_ptr_array_free (argv, FALSE);
}

DubEngineClient *
dub_engine_command_start (const DubEngineCommand *command)
{
  g_auto (GStrv) argv = argv_for (command->argv, command->kind);
  DubEngineClientSettings settings;

  dub_engine_client_settings_init (&settings);
  settings.name = command->name != NULL ? command->name : command->kind;
  settings.argv = (const char *const *) argv;
  settings.load = command->load;
  settings.metrics = command->metrics;
  return dub_engine_client_new (&settings);
}
