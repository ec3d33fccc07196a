/* SPDX-License-Identifier: Apache-2.0 */
#include "streams.h"

#include "programs/http.h"

#include <dub/verbs.h>
#include <dubbing_common/error.h>
#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define MAX_ID 64

typedef struct {
  char *url, *token;
  char *to, *input_url, *output_url;
  gboolean is_json;
} Settings;

#define AT(field) G_STRUCT_OFFSET (Settings, field)

static const char *const schemes[] = {"http", "https", NULL};
/* As in the API, which judges what comes behind them. */
static const char *const input_schemes[] = {
    "rtmp", "rtmps", "rtsp", "file", NULL};
static const char *const output_schemes[] = {
    "rtmp", "rtmps", "rtsp", "rtsps", "srt", NULL};

#define SERVICE_OPTIONS                                                        \
  {"media-service-url", "ORCHESTRATOR_URL", DUB_OPTION_URL, AT (url),          \
      "http://localhost:8080", .choices = schemes,                             \
      .help = "Where media-service is"},                                       \
  {                                                                            \
    "api-token", "API_TOKEN", DUB_OPTION_SECRET, AT (token), NULL,             \
        .help = "Sent to it as Authorization: Bearer"                          \
  }

static const DubOption start_options[] = {
    SERVICE_OPTIONS,
    {"to", "DUB_TO", DUB_OPTION_STRING, AT (to), NULL, 2, 64,
        .help = "Languages of the dub, such as es or es,de; else as it was"},
    {"input", "DUB_INPUT", DUB_OPTION_URL, AT (input_url), NULL,
        .choices = input_schemes,
        .help = "Of a new stream: where it is pulled from"},
    {"output", "DUB_OUTPUT", DUB_OPTION_URL, AT (output_url), NULL,
        .choices = output_schemes,
        .help = "Of a new stream: where it is published"},
    {NULL},
};

static const DubOption stop_options[] = {SERVICE_OPTIONS, {NULL}};

static const DubOption events_options[] = {
    SERVICE_OPTIONS,
    {"json", "EVENTS_JSON", DUB_OPTION_BOOL, AT (is_json), "false",
        .help = "What media-service says, as it says it"},
    {NULL},
};

/* A name in a URL. */
static gboolean
is_id (const char *text)
{
  gsize length = strlen (text);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '-' && text[i] != '_')
      return FALSE;
  return length > 0 && length <= MAX_ID;
}

/* (transfer full) */
static char *
body_of (const Settings *settings, const char *id, gboolean is_new)
{
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();

  if (is_new)
    json_object_set_string_member (object, "stream_id", id);
  if (settings->to != NULL) {
    g_auto (GStrv) words = g_strsplit (settings->to, ",", -1);
    JsonArray *array = json_array_new ();

    for (gsize i = 0; words[i] != NULL; i++)
      json_array_add_string_element (array, words[i]);
    json_object_set_array_member (object, "target_languages", array);
  }
  if (is_new && settings->input_url != NULL)
    json_object_set_string_member (object, "input_url", settings->input_url);
  if (is_new && settings->output_url != NULL)
    json_object_set_string_member (object, "output_url", settings->output_url);
  json_node_take_object (root, object);
  return json_to_string (root, FALSE);
}

/* What a problem says for people. (transfer full) */
static char *
detail_of (const char *answer, guint status)
{
  g_autoptr (JsonNode) root = json_from_string (answer, NULL);
  JsonObject *object = root != NULL && JSON_NODE_HOLDS_OBJECT (root)
                           ? json_node_get_object (root)
                           : NULL;
  const char *detail =
      object != NULL
          ? json_object_get_string_member_with_default (object, "detail", NULL)
          : NULL;

  return detail != NULL ? g_strdup (detail)
                        : g_strdup_printf ("it answered %u", status);
}

typedef struct {
  const Settings *settings;
  const char *verb; /* for messages */
  guint status;
  char *answer;
} Call;

static gboolean
call (Call *self, const char *method, const char *path, const char *body)
{
  g_autoptr (GError) error = NULL;
  DubHttpRequest request = {
      .method = method, .token = self->settings->token, .body = body};
  g_autofree char *url = g_strconcat (self->settings->url, path, NULL);

  request.url = url;
  g_clear_pointer (&self->answer, g_free);
  self->answer = dub_http_call (&request, &self->status, &error);
  if (self->answer != NULL)
    return TRUE;
  fprintf (
      stderr, "%s: %s: %s\n", self->verb, self->settings->url, error->message);
  return FALSE;
}

static int
conclude (Call *self, const char *id, const char *what)
{
  g_autofree char *detail = NULL;

  if (self->status < 300) {
    printf ("%s: %s\n", id, what);
    return EX_OK;
  }
  detail = detail_of (self->answer, self->status);
  fprintf (stderr, "%s: %s: %s\n", self->verb, id, detail);
  return self->status == 404 || self->status == 422 ? EX_USAGE : EX_UNAVAILABLE;
}

/* TRUE: asked for what a stream that is there already cannot be given. */
static gboolean
refuse_places (const Settings *settings, const char *id)
{
  if (settings->input_url == NULL && settings->output_url == NULL)
    return FALSE;
  fprintf (stderr,
      "dub start: %s: it is there already, and --input and --output are for a "
      "new one; DELETE /v1/streams/%s removes it\n",
      id, id);
  return TRUE;
}

/* One that is known is changed where something was asked for, and started;
 * one that is not is made. */
static int
start (const Settings *settings, const char *id)
{
  Call self = {.settings = settings, .verb = "dub start"};
  g_autofree char *one = g_strconcat ("/v1/streams/", id, NULL);
  g_autofree char *path = g_strconcat (one, "/start", NULL);
  gboolean is_new;
  g_autofree char *body = NULL;
  int status = EX_UNAVAILABLE;

  if (!call (&self, "GET", one, NULL))
    return status;
  is_new = self.status == 404;
  if (self.status == 200 && refuse_places (settings, id)) {
    g_free (self.answer);
    return EX_USAGE;
  }
  body = body_of (settings, id, is_new);
  if (is_new) {
    if (call (&self, "POST", "/v1/streams", body))
      status = conclude (&self, id, "made and started");
  } else if ((settings->to == NULL ||
                 (call (&self, "PATCH", one, body) && self.status < 300)) &&
             call (&self, "POST", path, NULL)) {
    status = conclude (&self, id, "started");
  } else if (self.answer != NULL) {
    status = conclude (&self, id, "");
  }
  g_free (self.answer);
  return status;
}

static int
stop (const Settings *settings, const char *id)
{
  Call self = {.settings = settings, .verb = "dub stop"};
  g_autofree char *path = g_strdup_printf ("/v1/streams/%s/stop", id);
  int status = EX_UNAVAILABLE;

  if (call (&self, "POST", path, NULL))
    status = conclude (&self, id, "stopped");
  g_free (self.answer);
  return status;
}

/* --- events --- */

static void
tell_event (const Settings *settings, const DubEventText *event)
{
  g_autofree char *line = settings->is_json
                              ? g_strdup (event->data)
                              : dub_event_line (event->event, event->data);

  if (line == NULL)
    return;
  puts (line);
  fflush (stdout);
}

/* Until the service ends it. */
static int
follow (const Settings *settings, GInputStream *stream)
{
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (stream);
  DubEventText event = {NULL, NULL};
  char *line;

  while ((line = g_data_input_stream_read_line (lines, NULL, NULL, NULL)) !=
         NULL) {
    if (dub_event_text_take (&event, line))
      tell_event (settings, &event);
    g_free (line);
  }
  dub_event_text_clear (&event);
  fputs ("dub events: media-service has closed the connection\n", stderr);
  return EX_UNAVAILABLE;
}

static int
events (const Settings *settings, const char *id)
{
  g_autofree char *url =
      id != NULL
          ? g_strdup_printf ("%s/v1/streams/%s/events", settings->url, id)
          : g_strconcat (settings->url, "/v1/events", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) stream =
      dub_http_open (url, settings->token, &error);

  if (stream != NULL)
    return follow (settings, stream);
  fprintf (stderr, "dub events: %s: %s\n", settings->url, error->message);
  return EX_UNAVAILABLE;
}

/* --- the verbs --- */

typedef struct {
  DubVerb verb;
  int (*run) (const Settings *settings, const char *id);
  gboolean needs_id;
} Verb;

static int
run_verb (const Verb *it, int argc, char **argv)
{
  Settings settings = {NULL};
  int status = EX_OK;
  const char *id;

  if (dub_verb_begin (&it->verb, &settings, &argc, &argv, &status)) {
    id = argc > 1 ? argv[1] : NULL;
    if (argc > 2)
      status = dub_verb_refuse (it->verb.name, argv[2]);
    else if (id != NULL && !is_id (id))
      status = dub_verb_refuse (it->verb.name, id);
    else if (id == NULL && it->needs_id)
      status = dub_verb_refuse (it->verb.name, "(no stream)");
    else
      status = it->run (&settings, id);
  }
  dub_config_clear (it->verb.options, &settings);
  return status;
}

int
dub_verb_start (int argc, char **argv)
{
  static const Verb it = {
      {"dub start", "STREAM", "Starts a stream: dub start demo --to es",
          start_options},
      start, TRUE};

  return run_verb (&it, argc, argv);
}

int
dub_verb_stop (int argc, char **argv)
{
  static const Verb it = {
      {"dub stop", "STREAM", "Stops a stream at once: dub stop demo",
          stop_options},
      stop, TRUE};

  return run_verb (&it, argc, argv);
}

int
dub_verb_events (int argc, char **argv)
{
  static const Verb it = {{"dub events", "[STREAM]",
                              "Says what happens, as it happens: dub events, "
                              "dub events demo",
                              events_options},
      events, FALSE};

  return run_verb (&it, argc, argv);
}
