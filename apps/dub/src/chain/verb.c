/* SPDX-License-Identifier: Apache-2.0 */
#include "chain.h"

#include <dub/verbs.h>
#include <stdio.h>
#include <sysexits.h>

typedef struct {
  char *from, *to, *synthesiser;
  gboolean is_file, is_env;
} Settings;

#define AT(field) G_STRUCT_OFFSET (Settings, field)

static const DubOption options[] = {
    {"from", "DUB_FROM", DUB_OPTION_STRING, AT (from), "auto", 2, 16,
        .help = "Language spoken, or auto"},
    {"to", "DUB_TO", DUB_OPTION_STRING, AT (to), "en", 2, 16,
        .help = "Language to hear"},
    {"synthesiser", "DUB_SYNTHESISER", DUB_OPTION_STRING, AT (synthesiser),
        "auto", .help = "Who speaks: kokoro, piper, espeak; auto is the best"},
    {"file", "DUB_FOR_FILE", DUB_OPTION_BOOL, AT (is_file), "false",
        .help = "For a file, which can wait; else for a live stream"},
    {"env", "DUB_CHAIN_ENV", DUB_OPTION_BOOL, AT (is_env), "false",
        .help = "Print it as the settings of sts-service, NAME=value"},
    {NULL},
};

static void
print (const DubChain *chain, gboolean is_env)
{
  g_autofree char *text = dub_chain_to_string (chain);
  g_auto (GStrv) environment = NULL;

  if (!is_env) {
    printf ("%s: %s\n", text,
        chain->is_live ? "keeps up with a live stream" : "for files only");
    return;
  }
  fprintf (stderr, "%s\n", text);
  environment = dub_chain_add_to_environment (chain, g_new0 (char *, 1));
  for (guint i = 0; environment[i] != NULL; i++)
    puts (environment[i]);
}

static int
pick (const Settings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubEngines) engines = NULL;
  DubChainWish wish = {.from = settings->from,
      .to = settings->to,
      .synthesiser = settings->synthesiser,
      .wants_live = !settings->is_file};
  DubChain chain;

  if (!dub_chain_check_wish (&wish, &error)) {
    fprintf (stderr, "dub chain: %s\n", error->message);
    return EX_USAGE;
  }
  engines = dub_engines_find (DUB_ENGINES_CACHED, &error);
  if (engines == NULL || !dub_chain_pick (engines, &wish, &chain, &error)) {
    fprintf (stderr, "dub chain: %s\n", error->message);
    return EX_UNAVAILABLE;
  }
  print (&chain, settings->is_env);
  return EX_OK;
}

static const DubVerb verb = {"dub chain", NULL,
    "Says which engines dub one language into another on this machine.",
    options};

int
dub_verb_chain (int argc, char **argv)
{
  Settings settings = {NULL};
  int status = EX_OK;

  if (dub_verb_begin (&verb, &settings, &argc, &argv, &status))
    status =
        argc == 1 ? pick (&settings) : dub_verb_refuse (verb.name, argv[1]);
  dub_config_clear (options, &settings);
  return status;
}
