/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

char **
dub_engine_command (const char *const *base, const char *kind)
{
  GPtrArray *argv = g_ptr_array_new ();

  for (guint i = 0; base[i] != NULL; i++)
    g_ptr_array_add (argv, g_strdup (base[i]));
  g_ptr_array_add (argv, g_strdup (kind));
  g_ptr_array_add (argv, NULL);
  return (char **) g_ptr_array_free (argv, FALSE);
}
