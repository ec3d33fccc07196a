/* SPDX-License-Identifier: Apache-2.0 */
#include "programs/http.h"
#include "run/dubbing.h"
#include "run/story.h"

#include <dub/verbs.h>
#include <dubbing_common/error.h>
#include <stdio.h>
#include <sysexits.h>

typedef struct {
  char *from, *to, *voice, *synthesiser, *sts_url, *sts_token;
  gint64 delay_ms;
} Settings;

#define USUAL_STS_URL "http://localhost:3000"

#define AT(field) G_STRUCT_OFFSET (Settings, field)

static const char *const schemes[] = {"http", "https", NULL};

static const DubOption options[] = {
    {"from", "DUB_FROM", DUB_OPTION_STRING, AT (from), "auto", 2, 16,
        .help = "Language spoken in the stream, or auto"},
    {"to", "DUB_TO", DUB_OPTION_STRING, AT (to), "en", 2, 16,
        .help = "Language to hear"},
    {"voice", "DUB_VOICE", DUB_OPTION_STRING, AT (voice), "default", 1, 128,
        .help = "Voice of the dub"},
    {"synthesiser", "DUB_SYNTHESISER", DUB_OPTION_STRING, AT (synthesiser),
        "auto",
        .help = "Who speaks: kokoro, piper, espeak; auto is the best that "
                "keeps up"},
    {"output-delay-ms", "OUTPUT_DELAY_MS", DUB_OPTION_INT, AT (delay_ms),
        "8000", 3000, 30000, .unit = "ms",
        .help = "How much later the dub leaves"},
    {"sts-service-url", "STS_SERVICE_URL", DUB_OPTION_URL, AT (sts_url),
        USUAL_STS_URL, .choices = schemes,
        .help = "The service that is used when it answers; else one is "
                "started"},
    {"sts-token", "STS_TOKEN", DUB_OPTION_SECRET, AT (sts_token), NULL,
        .help = "Sent to it as Authorization: Bearer"},
    {NULL},
};

static void
on_event (const char *name, JsonObject *fields, gpointer user_data)
{
  g_autofree char *line = dub_story_take (user_data, name, fields);

  if (line == NULL)
    return;
  puts (line);
  fflush (stdout);
}

static JsonObject *
worker_settings (const Settings *settings, char **urls)
{
  JsonObject *worker = json_object_new ();

  json_object_set_string_member (worker, "INPUT_URL", urls[0]);
  json_object_set_string_member (worker, "OUTPUT_URL", urls[1]);
  json_object_set_string_member (
      worker, "WORKER_SOURCE_LANGUAGE", settings->from);
  json_object_set_string_member (
      worker, "WORKER_TARGET_LANGUAGE", settings->to);
  json_object_set_string_member (
      worker, "WORKER_VOICE_PROFILE", settings->voice);
  json_object_set_int_member (worker, "OUTPUT_DELAY_MS", settings->delay_ms);
  if (settings->sts_token != NULL)
    json_object_set_string_member (worker, "STS_TOKEN", settings->sts_token);
  return worker;
}

/* That nobody is at the usual place is nothing to tell. */
static gboolean
answers (const char *sts_url)
{
  g_autoptr (GError) error = NULL;

  if (dub_http_is_service (sts_url, "/health/ready", "sts", &error))
    return TRUE;
  if (!g_str_equal (sts_url, USUAL_STS_URL) ||
      g_error_matches (error, DUB_ERROR, DUB_ERROR_PROTOCOL))
    fprintf (stderr, "dub live: %s; a speech service is started here\n",
        error->message);
  return FALSE;
}

static int
run (const Settings *settings, char **urls, const DubChain *chain)
{
  g_autoptr (JsonObject) worker = worker_settings (settings, urls);
  DubDubbingSettings dubbing = {
      .chain = chain, .sts_url = settings->sts_url, .worker = worker};
  DubStory story = {.is_live = TRUE};

  fprintf (stderr, "Ctrl-C ends it\n");
  return dub_dubbing_run (&dubbing, on_event, &story);
}

/* Picks the chain for a service of our own, and says what was picked. */
static gboolean
pick (const Settings *settings, const DubChainWish *wish,
    const DubEngines *engines, DubChain *ret_chain, GError **error)
{
  g_autofree char *text = NULL;

  if (!dub_chain_pick (engines, wish, ret_chain, error))
    return FALSE;
  text = dub_chain_to_string (ret_chain);
  fprintf (stderr, "%s to %s with %s: %s\n", settings->from, settings->to, text,
      ret_chain->is_live ? "the best that keeps up here"
                         : "too slow here to be live, so part of the speech "
                           "will stay as it is");
  return TRUE;
}

static int
live (const Settings *settings, char **urls)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubEngines) engines = NULL;
  DubChain chain;
  DubChainWish wish = {.from = settings->from,
      .to = settings->to,
      .synthesiser = settings->synthesiser,
      .wants_live = TRUE};

  if (!dub_chain_check_wish (&wish, &error)) {
    fprintf (stderr, "dub live: %s\n", error->message);
    return EX_USAGE;
  }
  if (answers (settings->sts_url)) {
    fprintf (stderr, "%s to %s with the service at %s\n", settings->from,
        settings->to, settings->sts_url);
    return run (settings, urls, NULL);
  }
  engines = dub_engines_find (DUB_ENGINES_CACHED, &error);
  if (engines != NULL && pick (settings, &wish, engines, &chain, &error))
    return run (settings, urls, &chain);
  fprintf (stderr, "dub live: %s\n", error->message);
  return EX_UNAVAILABLE;
}

static const DubVerb verb = {"dub live", "INPUT_URL OUTPUT_URL",
    "Dubs one live stream until Ctrl-C; prints what is heard and said.",
    options};

int
dub_verb_live (int argc, char **argv)
{
  Settings settings = {NULL};
  int status = EX_OK;

  if (!dub_verb_begin (&verb, &settings, &argc, &argv, &status))
    return status;
  status = argc == 3 ? live (&settings, argv + 1)
                     : dub_verb_refuse (verb.name,
                           argc > 3 ? argv[3] : "fewer than two URLs");
  dub_config_clear (options, &settings);
  return status;
}
