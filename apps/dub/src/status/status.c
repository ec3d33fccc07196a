/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include "programs/http.h"

#include <dub/verbs.h>
#include <stdio.h>
#include <sysexits.h>

typedef struct {
  char *url, *token;
  gboolean is_json;
} Settings;

#define AT(field) G_STRUCT_OFFSET (Settings, field)

static const char *const schemes[] = {"http", "https", NULL};

static const DubOption options[] = {
    {"media-service-url", "ORCHESTRATOR_URL", DUB_OPTION_URL, AT (url),
        "http://localhost:8080", .choices = schemes,
        .help = "Where media-service is"},
    {"api-token", "API_TOKEN", DUB_OPTION_SECRET, AT (token), NULL,
        .help = "Sent to it as Authorization: Bearer"},
    {"json", "STATUS_JSON", DUB_OPTION_BOOL, AT (is_json), "false",
        .help = "What media-service says, as it says it"},
    {NULL},
};

/* (transfer full) (nullable) */
static char *
ask (const Settings *settings, const char *path, GError **error)
{
  g_autofree char *url = g_strconcat (settings->url, path, NULL);

  return dub_http_get (url, settings->token, NULL, error);
}

static int
tell (const Settings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *health = ask (settings, "/health", &error);
  g_autofree char *streams =
      health != NULL ? ask (settings, "/v1/streams", &error) : NULL;
  g_autofree char *table = NULL;

  if (streams == NULL) {
    fprintf (stderr, "dub status: %s: %s\n", settings->url, error->message);
    return EX_UNAVAILABLE;
  }
  if (settings->is_json) {
    puts (streams);
    return EX_OK;
  }
  table = dub_status_table (streams, &error);
  if (table == NULL) {
    fprintf (stderr, "dub status: %s: %s\n", settings->url, error->message);
    return EX_PROTOCOL;
  }
  printf ("%s: %s\n", settings->url, health);
  fputs (table, stdout);
  return EX_OK;
}

static const DubVerb verb = {
    "dub status", NULL, "Says which streams are dubbed now.", options};

int
dub_verb_status (int argc, char **argv)
{
  Settings settings = {NULL};
  int status = EX_OK;

  if (dub_verb_begin (&verb, &settings, &argc, &argv, &status))
    status =
        argc == 1 ? tell (&settings) : dub_verb_refuse (verb.name, argv[1]);
  dub_config_clear (options, &settings);
  return status;
}
