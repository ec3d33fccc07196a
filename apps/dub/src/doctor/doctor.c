/* SPDX-License-Identifier: Apache-2.0 */
#include "ports.h"
#include "report.h"

#include "chain/chain.h"
#include "programs/http.h"
#include "programs/programs.h"

#include <dub/verbs.h>
#include <dubbing_common/config.h>
#include <dubbing_common/paths.h>
#include <dubbing_mediacodec/elements.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define MEDIAMTX_VERSION "v1.13.1"

typedef struct {
  gboolean is_json, is_quick, is_fresh;
  char *sts_url, *media_url;
} Settings;

#define AT(field) G_STRUCT_OFFSET (Settings, field)

static const char *const schemes[] = {"http", "https", NULL};

static const DubOption options[] = {
    {"json", "DOCTOR_JSON", DUB_OPTION_BOOL, AT (is_json), "false",
        .help = "One JSON object in place of lines"},
    {"quick", "DOCTOR_QUICK", DUB_OPTION_BOOL, AT (is_quick), "false",
        .help = "Do not measure the engines"},
    {"fresh", "DOCTOR_FRESH", DUB_OPTION_BOOL, AT (is_fresh), "false",
        .help = "Measure again what was measured before"},
    {"sts-service-url", "STS_SERVICE_URL", DUB_OPTION_URL, AT (sts_url),
        "http://localhost:3000", .choices = schemes,
        .help = "Where sts-service is looked for"},
    {"media-service-url", "ORCHESTRATOR_URL", DUB_OPTION_URL, AT (media_url),
        "http://localhost:8080", .choices = schemes,
        .help = "Where media-service is looked for"},
    {NULL},
};

/* Languages that a chain is looked for. */
static const struct {
  const char *from, *to;
} wishes[] = {{"auto", "en"}, {"en", "es"}, {"en", "fr"}, {"en", "pt"}};

static const struct {
  guint16 number;
  const char *what;
} ports[] = {
    {1935, "MediaMTX RTMP"},
    {8554, "MediaMTX RTSP"},
    {8888, "MediaMTX HLS"},
    {9997, "MediaMTX API"},
    {3000, "sts-service"},
    {8080, "media-service"},
};

static void
check_elements (DubReport *report)
{
  dub_report_section (report, "GStreamer elements");
  for (const DubElement *element = dub_elements (); element->name; element++) {
    gboolean is_needed =
        element->uses & (DUB_ELEMENTS_MEDIA | DUB_ELEMENTS_SPEECH);
    g_autofree char *remedy =
        g_strdup_printf ("apt-get install %s", element->package);

    if (dub_element_exists (element))
      dub_report_add (
          report, DUB_CHECK_OK, element->name, element->what_for, NULL);
    else
      dub_report_add (report, is_needed ? DUB_CHECK_MISSING : DUB_CHECK_NOTE,
          element->name, element->what_for, remedy);
  }
}

static void
check_programs (DubReport *report)
{
  static const char *const names[] = {
      "media-worker", "media-service", "mtx-hook", "sts-service"};

  dub_report_section (report, "Programs");
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = dub_program_find (names[i], NULL);

    dub_report_add (report, path != NULL ? DUB_CHECK_OK : DUB_CHECK_MISSING,
        names[i], path, path != NULL ? NULL : "make build");
  }
}

static void
check_mediamtx (DubReport *report)
{
  g_autofree char *path = dub_program_find_mediamtx (NULL);
  const char *argv[] = {path, "--version", NULL};
  g_autofree char *version = path != NULL ? dub_program_ask (argv, NULL) : NULL;
  g_autofree char *detail = NULL;

  if (version == NULL) {
    dub_report_add (report, DUB_CHECK_MISSING, "mediamtx", MEDIAMTX_VERSION,
        "scripts/mediamtx");
    return;
  }
  detail = g_strdup_printf ("%s, %s", version, path);
  if (g_str_equal (version, MEDIAMTX_VERSION))
    dub_report_add (report, DUB_CHECK_OK, "mediamtx", detail, NULL);
  else
    dub_report_add (report, DUB_CHECK_NOTE, "mediamtx", detail,
        "tested with " MEDIAMTX_VERSION ": scripts/mediamtx brings it");
}

/* What finds speech; media-worker loads it. */
static void
check_detector (DubReport *report)
{
  g_autofree char *folder = dub_models_dir ();
  g_autofree char *path = g_build_filename (folder, "silero_vad.onnx", NULL);
  gboolean is_there = g_file_test (path, G_FILE_TEST_IS_REGULAR);

  dub_report_add (report, is_there ? DUB_CHECK_OK : DUB_CHECK_MISSING,
      "silero_vad.onnx", "finds speech",
      is_there ? NULL : "scripts/fetch silero-vad");
}

static gboolean
has_ready (const DubEngines *engines, const char *stage)
{
  for (guint i = 0; i < engines->list->len; i++) {
    const DubEngine *engine = engines->list->pdata[i];

    if (g_str_equal (engine->stage, stage) &&
        g_str_equal (engine->state, "ready"))
      return TRUE;
  }
  return FALSE;
}

/* What is to be known something of is for more than is needed. */
static void
check_missing (
    DubReport *report, const DubEngines *engines, const DubEngine *engine)
{
  gboolean is_needed = *engine->about == '\0' &&
                       !g_str_equal (engine->stage, "translation") &&
                       !has_ready (engines, engine->stage);
  g_autofree char *name = g_strdup_printf (
      "%s %s", engine->provider, *engine->model ? engine->model : "");

  dub_report_add (report, is_needed ? DUB_CHECK_MISSING : DUB_CHECK_NOTE,
      g_strchomp (name), *engine->about ? engine->about : engine->why,
      engine->bring);
}

static void
check_ready (DubReport *report, const DubEngine *engine)
{
  g_autofree char *name = g_strdup_printf (
      "%s %s", engine->provider, *engine->model ? engine->model : "");
  g_autofree char *cost = g_strdup_printf (
      "%s: loads in %.1f s, %.2f s per second of speech, %.0f MiB",
      engine->stage, engine->load_s, engine->rtf, engine->memory_mib);
  g_autofree char *elsewhere =
      g_strdup_printf ("%s, by a server", engine->stage);

  dub_report_add (report, DUB_CHECK_OK, g_strchomp (name),
      engine->is_measured ? cost
      : engine->is_remote ? elsewhere
                          : engine->stage,
      NULL);
}

static void
check_engine (
    DubReport *report, const DubEngines *engines, const DubEngine *engine)
{
  if (g_str_equal (engine->state, "ready"))
    check_ready (report, engine);
  else
    check_missing (report, engines, engine);
}

static void
check_engines (
    DubReport *report, const DubEngines *engines, const GError *error)
{
  dub_report_section (report, "Engines and models");
  check_detector (report);
  if (engines == NULL) {
    dub_report_add (
        report, DUB_CHECK_MISSING, "sts-service", error->message, "make build");
    return;
  }
  for (guint i = 0; i < engines->list->len; i++)
    check_engine (report, engines, engines->list->pdata[i]);
}

static gboolean
is_same_chain (const DubChain *a, const DubChain *b)
{
  return a->recognition == b->recognition && a->translation == b->translation &&
         a->synthesis == b->synthesis;
}

static void
add_chain (DubReport *report, const char *name, const DubChain *chain)
{
  g_autofree char *text = dub_chain_to_string (chain);
  g_autofree char *detail = NULL;

  if (chain->is_live)
    detail =
        g_strdup_printf ("live, %u at once: %s", chain->live_streams, text);
  else
    detail = g_strdup_printf ("%s: %s",
        chain->rtf > 0 ? "files only, too slow to be live" : "not measured",
        text);
  dub_report_add (report,
      chain->rtf > 0 && !chain->is_live ? DUB_CHECK_NOTE : DUB_CHECK_OK, name,
      detail, NULL);
}

/* What a live stream gets, and a file when it gets another. */
static void
check_chain (DubReport *report, const DubEngines *engines, const char *from,
    const char *to)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_strdup_printf ("%s to %s", from, to);
  g_autofree char *file_name = g_strdup_printf ("%s to %s, files", from, to);
  DubChainWish wish = {.from = from, .to = to, .wants_live = TRUE};
  DubChain chain, file_chain;

  if (!dub_chain_pick (engines, &wish, &chain, &error)) {
    dub_report_add (report, DUB_CHECK_NOTE, name, NULL, error->message);
    return;
  }
  add_chain (report, name, &chain);
  wish.wants_live = FALSE;
  if (dub_chain_pick (engines, &wish, &file_chain, NULL) &&
      !is_same_chain (&chain, &file_chain))
    add_chain (report, file_name, &file_chain);
}

static void
check_ports (DubReport *report)
{
  dub_report_section (report, "Ports");
  for (gsize i = 0; i < G_N_ELEMENTS (ports); i++) {
    g_autofree char *name = g_strdup_printf ("%u", ports[i].number);
    g_autofree char *who = NULL, *detail = NULL;
    gboolean is_taken = dub_ports_is_taken (ports[i].number, &who);

    detail = g_strdup_printf ("%s: %s%s", ports[i].what,
        is_taken ? "taken by " : "free", is_taken ? who : "");
    dub_report_add (
        report, is_taken ? DUB_CHECK_NOTE : DUB_CHECK_OK, name, detail, NULL);
  }
}

/* name: of the program, and in the name that the service gives itself */
static void
check_service (DubReport *report, const char *name, const char *url,
    const char *path, const char *remedy)
{
  g_autoptr (GError) error = NULL;
  const char *own = g_str_equal (name, "sts-service") ? "sts" : name;
  gboolean is_there = dub_http_is_service (url, path, own, &error);

  dub_report_add (report, is_there ? DUB_CHECK_OK : DUB_CHECK_NOTE, name,
      is_there ? url : error->message, is_there ? NULL : remedy);
}

static void
print (const DubReport *report, gboolean is_json)
{
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) root = NULL;

  if (is_json) {
    root = dub_report_to_json (report);
    text = json_to_string (root, TRUE);
    puts (text);
    return;
  }
  text = dub_report_to_text (report);
  fputs (text, stdout);
  puts (dub_report_is_good (report)
            ? "\nall that is needed is there"
            : "\nwhat says \"missing\" is needed: see the line below it");
}

static int
examine (const Settings *settings)
{
  g_autoptr (DubReport) report = dub_report_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (DubEngines) engines =
      dub_engines_find (settings->is_quick   ? DUB_ENGINES_QUICK
                        : settings->is_fresh ? DUB_ENGINES_MEASURE
                                             : DUB_ENGINES_CACHED,
          &error);

  check_elements (report);
  check_programs (report);
  check_mediamtx (report);
  check_engines (report, engines, error);
  dub_report_section (report, "Chains");
  for (gsize i = 0; engines != NULL && i < G_N_ELEMENTS (wishes); i++)
    check_chain (report, engines, wishes[i].from, wishes[i].to);
  check_ports (report);
  dub_report_section (report, "Services");
  check_service (report, "sts-service", settings->sts_url, "/health/ready",
      "runs when you start it: sts-service");
  check_service (report, "media-service", settings->media_url, "/health",
      "runs when you start it: media-service");
  print (report, settings->is_json);
  return dub_report_is_good (report) ? EX_OK : EX_UNAVAILABLE;
}

static const DubVerb verb = {"dub doctor", NULL,
    "Says what this machine has, lacks, and can carry.", options};

int
dub_verb_doctor (int argc, char **argv)
{
  Settings settings = {0};
  int status = EX_OK;

  if (dub_verb_begin (&verb, &settings, &argc, &argv, &status))
    status =
        argc == 1 ? examine (&settings) : dub_verb_refuse (verb.name, argv[1]);
  dub_config_clear (options, &settings);
  return status;
}
