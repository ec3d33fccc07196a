/* SPDX-License-Identifier: Apache-2.0 */
#include <dub/verbs.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static gboolean
wants_help (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], "--help") == 0 || strcmp (argv[i], "-h") == 0)
      return TRUE;
  return FALSE;
}

gboolean
dub_verb_begin (const DubVerb *verb, gpointer settings, int *argc, char ***argv,
    int *ret_status)
{
  g_auto (GStrv) environment = g_get_environ ();
  g_autoptr (GError) error = NULL;

  if (wants_help (*argc, *argv)) {
    g_autofree char *usage =
        verb->words != NULL ? g_strjoin (" ", verb->name, verb->words, NULL)
                            : g_strdup (verb->name);
    g_autofree char *text = dub_config_help (verb->options, usage, verb->what);

    fputs (text, stdout);
    *ret_status = EX_OK;
    return FALSE;
  }
  if (dub_config_load (
          verb->options, settings, argc, argv, environment, &error))
    return TRUE;
  fprintf (stderr, "%s: %s\n", verb->name, error->message);
  *ret_status = EX_CONFIG;
  return FALSE;
}

int
dub_verb_refuse (const char *name, const char *word)
{
  fprintf (stderr, "%s: \"%s\" does not belong here; see --help\n", name, word);
  return EX_USAGE;
}
