/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include <dubbing_common/log.h>
#include <gst/gst.h>
#include <stdio.h>
#include <sysexits.h>

/* The commands of speech alone, for tests and benchmarks of this part:
 * sts-speech engine | transcribe | fragment. */
int
main (int argc, char **argv)
{
  const char *command = argc > 1 ? argv[1] : "";
  const char *level = g_getenv ("LOG_LEVEL");
  DubLogLevel log_level = DUB_LOG_WARNING;

  if (level != NULL && !dub_log_level_parse (level, &log_level))
    fprintf (stderr, "LOG_LEVEL=%s is no level\n", level);
  dub_log_init ("sts-speech", log_level, DUB_LOG_AUTO);
  if (g_str_equal (command, "engine"))
    return dub_command_engine (argc, argv);
  gst_init (NULL, NULL);
  if (g_str_equal (command, "transcribe"))
    return dub_command_transcribe (argc, argv);
  if (g_str_equal (command, "fragment"))
    return dub_command_fragment (argc, argv);
  fprintf (stderr, "usage: sts-speech transcribe|fragment FILE...\n");
  return EX_USAGE;
}
