/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include <dubbing_common/config.h>
#include <stdio.h>
#include <sysexits.h>

static gboolean
wants_help (int argc, char **argv)
{
  for (int i = 2; i < argc; i++)
    if (g_str_equal (argv[i], "--help") || g_str_equal (argv[i], "-h"))
      return TRUE;
  return FALSE;
}

gboolean
dub_command_begin (
    const DubCommand *command, int *argc, char ***argv, int *ret_status)
{
  g_auto (GStrv) environment = g_get_environ ();
  g_autofree char *usage =
      g_strdup_printf ("sts-service %s %s", (*argv)[1], command->words);
  g_autoptr (GError) error = NULL;

  g_strchomp (usage); /* of one without words */
  *ret_status = EX_OK;
  if (wants_help (*argc, *argv)) {
    g_autofree char *text =
        dub_config_help (command->options, usage, command->what);

    fputs (text, stdout);
    return FALSE;
  }
  if (!dub_config_load (command->options, command->settings, argc, argv,
          environment, &error)) {
    fprintf (stderr, "%s: %s\n", (*argv)[1], error->message);
    *ret_status = EX_CONFIG;
  } else if (*argc < 2 + (int) command->least ||
             *argc > 2 + (int) command->most) {
    fprintf (stderr, "usage: %s; --help lists the options\n", usage);
    dub_config_clear (command->options, command->settings);
    *ret_status = EX_USAGE;
  }
  return *ret_status == EX_OK;
}
