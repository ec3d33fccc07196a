/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"
#include "progress.h"

#include "run/dubbing.h"
#include "run/events.h"
#include "run/story.h"

#include <dub/verbs.h>
#include <dubbing_common/error.h>
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define QUICK_RTF 0.7

typedef struct {
  char *output, *from, *to, *voice, *synthesiser;
  int mix_mode;
  double duck_db;
  gboolean is_forced, is_told;
} Settings;

static const char *const mix_modes[] = {"lower", "remove", NULL};

#define AT(field) G_STRUCT_OFFSET (Settings, field)

static const DubOption options[] = {
    {"output", "DUB_OUTPUT", DUB_OPTION_STRING, AT (output), NULL,
        .help = "The MP4 file to write (-o)"},
    {"from", "DUB_FROM", DUB_OPTION_STRING, AT (from), "auto", 2, 16,
        .help = "Language spoken in the file, or auto"},
    {"to", "DUB_TO", DUB_OPTION_STRING, AT (to), "en", 2, 16,
        .help = "Language to hear"},
    {"voice", "DUB_VOICE", DUB_OPTION_STRING, AT (voice), "default", 1, 128,
        .help = "Voice of the dub"},
    {"synthesiser", "DUB_SYNTHESISER", DUB_OPTION_STRING, AT (synthesiser),
        "auto", .help = "Who speaks: kokoro, piper, espeak; auto is the best"},
    {"keep-original", "DUB_KEEP_ORIGINAL", DUB_OPTION_CHOICE, AT (mix_mode),
        "lower", .choices = mix_modes,
        .help = "What becomes of the original under the dub"},
    {"duck-db", "DUCK_DB", DUB_OPTION_DOUBLE, AT (duck_db), "-18", -60, 0,
        .unit = "dB", .help = "Level of the original under the dub"},
    {"force", "DUB_FORCE", DUB_OPTION_BOOL, AT (is_forced), "false",
        .help = "Write over a file that is there"},
    {"print", "DUB_PRINT", DUB_OPTION_BOOL, AT (is_told), "false",
        .help = "Print what is heard and said"},
    {NULL},
};

typedef struct {
  const Settings *settings;
  DubProgress progress;
  DubStory story;
} Run;

static void
on_event (const char *name, JsonObject *fields, gpointer user_data)
{
  Run *run = user_data;
  g_autofree char *line = NULL;
  guint kept = run->story.kept;

  if (strcmp (name, "progress") == 0) {
    dub_progress_show (&run->progress, dub_event_number (fields, "text") / 1000,
        g_get_monotonic_time ());
    return;
  }
  line = dub_story_take (&run->story, name, fields);
  /* Where the original stays is always told. */
  if (line == NULL || (!run->settings->is_told && run->story.kept == kept))
    return;
  dub_progress_clear (&run->progress);
  puts (line);
  fflush (stdout);
}

static int
status_of (const GError *error)
{
  switch (error->domain == DUB_ERROR ? error->code : DUB_ERROR_INVALID) {
    case DUB_ERROR_NOT_FOUND:
      return EX_NOINPUT;
    case DUB_ERROR_LIMIT:
      return EX_CANTCREAT;
    default:
      return EX_DATAERR;
  }
}

static gboolean
is_same_file (const char *a, const char *b)
{
  g_autofree char *whole_a = g_canonicalize_filename (a, NULL);
  g_autofree char *whole_b = g_canonicalize_filename (b, NULL);

  return g_str_equal (whole_a, whole_b);
}

/* The output must not be there, and its folder must be. */
static gboolean
check_output (const Settings *settings, const char *input, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (settings->output);
  const char *why = NULL;

  if (is_same_file (input, settings->output))
    why = "is the input itself";
  else if (access (folder, W_OK) != 0)
    why = "lies in a folder that cannot be written to";
  else if (!settings->is_forced &&
           g_file_test (settings->output, G_FILE_TEST_EXISTS))
    why = "is there already (--force writes over it)";
  if (why == NULL)
    return TRUE;
  g_set_error (
      error, DUB_ERROR, DUB_ERROR_LIMIT, "%s %s", settings->output, why);
  return FALSE;
}

static JsonObject *
worker_settings (
    const Settings *settings, const char *input, const DubChain *chain)
{
  JsonObject *worker = json_object_new ();
  g_autofree char *from = gst_filename_to_uri (input, NULL);
  g_autofree char *to = gst_filename_to_uri (settings->output, NULL);

  json_object_set_string_member (worker, "PACE", "file");
  json_object_set_string_member (worker, "INPUT_URL", from);
  json_object_set_string_member (worker, "OUTPUT_URL", to);
  json_object_set_string_member (
      worker, "WORKER_SOURCE_LANGUAGE", settings->from);
  json_object_set_string_member (
      worker, "WORKER_TARGET_LANGUAGE", settings->to);
  json_object_set_string_member (
      worker, "WORKER_VOICE_PROFILE", settings->voice);
  json_object_set_string_member (
      worker, "MIX_MODE", mix_modes[settings->mix_mode]);
  json_object_set_double_member (worker, "DUCK_DB", settings->duck_db);
  /* As long as the protocol lets an answer take. Two at once keep all engines
   * at work; where those are slow, one must not wait for the other. */
  json_object_set_int_member (worker, "STS_FRAGMENT_TIMEOUT_MS", 30000);
  json_object_set_int_member (worker, "STS_MAX_INFLIGHT",
      chain->rtf > 0 && chain->rtf <= QUICK_RTF ? 2 : 1);
  return worker;
}

static void
sum_up (const Run *run, const Settings *settings)
{
  double spent_s = (double) (g_get_monotonic_time () - run->progress.begin_us) /
                   G_USEC_PER_SEC;
  g_autofree char *reasons = dub_story_reasons (&run->story);

  fprintf (stderr,
      "%s: %u dubs, the original kept %u times%s%s%s; %.0f s of film in "
      "%.0f s\n",
      settings->output, run->story.dubs, run->story.kept,
      *reasons != '\0' ? " (" : "", reasons, *reasons != '\0' ? ")" : "",
      run->progress.whole_s, spent_s);
}

static int
dub (const Settings *settings, const char *input, const DubChain *chain,
    const DubProbe *probe)
{
  g_autoptr (JsonObject) worker = worker_settings (settings, input, chain);
  DubDubbingSettings dubbing = {
      .chain = chain, .is_file = TRUE, .worker = worker};
  Run run = {.settings = settings};
  int status;

  dub_progress_init (&run.progress, probe->duration_s, isatty (STDERR_FILENO),
      g_get_monotonic_time ());
  status = dub_dubbing_run (&dubbing, on_event, &run);
  dub_progress_clear (&run.progress);
  if (status == EX_OK)
    sum_up (&run, settings);
  return status;
}

static int
dub_file (const Settings *settings, const char *input)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubEngines) engines = NULL;
  g_autofree char *text = NULL;
  DubProbe probe = {0};
  DubChain chain;
  DubChainWish wish = {.from = settings->from,
      .to = settings->to,
      .synthesiser = settings->synthesiser};

  if (!dub_chain_check_wish (&wish, &error)) {
    fprintf (stderr, "dub file: %s\n", error->message);
    return EX_USAGE;
  }
  if (!dub_probe_file (input, &probe, &error) ||
      !check_output (settings, input, &error)) {
    fprintf (stderr, "dub file: %s\n", error->message);
    return status_of (error);
  }
  engines = dub_engines_find (DUB_ENGINES_QUICK, &error);
  if (engines == NULL || !dub_chain_pick (engines, &wish, &chain, &error)) {
    fprintf (stderr, "dub file: %s\n", error->message);
    return EX_UNAVAILABLE;
  }
  text = dub_chain_to_string (&chain);
  fprintf (stderr, "%s to %s with %s: the best that is here\n", settings->from,
      settings->to, text);
  return dub (settings, input, &chain, &probe);
}

/* -o FILE is --output FILE. */
static void
lengthen_words (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (g_str_equal (argv[i], "-o"))
      argv[i] = (char *) "--output";
}

static const DubVerb verb = {"dub file", "INPUT -o OUTPUT",
    "Dubs a file into another file, with the best engines there are.", options};

int
dub_verb_file (int argc, char **argv)
{
  Settings settings = {NULL};
  int status = EX_OK;

  lengthen_words (argc, argv);
  if (!dub_verb_begin (&verb, &settings, &argc, &argv, &status))
    return status;
  if (argc != 2 || settings.output == NULL)
    status = dub_verb_refuse (verb.name, argc > 2   ? argv[2]
                                         : argc < 2 ? "no input"
                                                    : "no output");
  else
    status = dub_file (&settings, argv[1]);
  dub_config_clear (options, &settings);
  return status;
}
