/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "candidates.h"
#include "media_file.h"

#include "asr/asr.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <sysexits.h>

/* The clip is a few seconds of real speech: the start of a file would be
 * silence, and more would only take longer. */
#define CLIP_SKIP_S 1
#define CLIP_S 5

typedef struct {
  DubPipelineSettings pipeline;
  char *clip;
  gboolean is_json, is_quick;
} Settings;

static const DubOption options[] = {
    DUB_PIPELINE_OPTIONS (Settings, pipeline),
    {"clip", "MEASURE_CLIP", DUB_OPTION_STRING,
        G_STRUCT_OFFSET (Settings, clip), DUB_MEASURE_CLIP,
        .help = "A file with some seconds of speech"},
    {"json", "MEASURE_JSON", DUB_OPTION_BOOL,
        G_STRUCT_OFFSET (Settings, is_json), "false",
        .help = "One JSON object in place of lines"},
    {"quick", "MEASURE_QUICK", DUB_OPTION_BOOL,
        G_STRUCT_OFFSET (Settings, is_quick), "false",
        .help = "Only say what is there; measure nothing"},
    {NULL},
};

/* DUB_ASR_RATE_HZ, mono. (transfer full) (nullable) */
static DubPcm *
read_clip (const Settings *settings, GError **error)
{
  g_autoptr (DubPcm) whole =
      dub_media_file_read (settings->clip, DUB_ASR_RATE_HZ, error);
  gsize skip = CLIP_SKIP_S * DUB_ASR_RATE_HZ;

  if (whole == NULL)
    return NULL;
  if (whole->frames <= skip + DUB_ASR_RATE_HZ)
    return g_steal_pointer (&whole);
  return dub_pcm_slice (
      whole, skip, MIN (whole->frames - skip, CLIP_S * DUB_ASR_RATE_HZ));
}

static void
add_text (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_number (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, value);
}

static void
add_flag (JsonBuilder *builder, const char *name, gboolean value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

static void
add_cost (JsonBuilder *builder, const DubCost *cost)
{
  add_number (builder, "load_s", cost->load_s);
  add_number (builder, "rtf", cost->rtf);
  add_number (builder, "memory_mib", cost->memory_mib);
}

/* clip: NULL for a quick look. */
static void
look_at (const DubCandidate *candidate, const Settings *settings, DubPcm *clip,
    JsonBuilder *builder)
{
  g_autoptr (GError) error = NULL;
  DubCost cost;
  const char *state = "ready";

  json_builder_begin_object (builder);
  add_text (builder, "stage", dub_stage_to_string (candidate->stage));
  add_text (builder, "provider", candidate->provider);
  add_text (builder, "model", candidate->model != NULL ? candidate->model : "");
  add_text (builder, "languages", candidate->languages);
  add_text (builder, "bring", candidate->bring);
  if (candidate->about != NULL)
    add_text (builder, "about", candidate->about);
  add_flag (builder, "translates", candidate->translates);
  add_flag (builder, "remote", candidate->is_remote);
  if (!dub_candidate_is_installed (candidate, &settings->pipeline, &error))
    state = "missing";
  else if (clip != NULL && !candidate->is_remote &&
           !dub_candidate_measure (
               candidate, &settings->pipeline, clip, &cost, &error))
    state = "broken";
  else if (clip != NULL && !candidate->is_remote)
    add_cost (builder, &cost);
  add_text (builder, "state", state);
  if (error != NULL)
    add_text (builder, "why", error->message);
  json_builder_end_object (builder);
}

static JsonNode *
look_at_all (const Settings *settings, DubPcm *clip)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GPtrArray) candidates = dub_candidates_new (&settings->pipeline);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "cores");
  json_builder_add_int_value (builder, g_get_num_processors ());
  json_builder_set_member_name (builder, "engines");
  json_builder_begin_array (builder);
  for (guint i = 0; i < candidates->len; i++)
    look_at (candidates->pdata[i], settings, clip, builder);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

static void
print_line (JsonObject *engine)
{
  printf ("%-12s %-12s %-28s %-8s", //
      json_object_get_string_member (engine, "stage"),
      json_object_get_string_member (engine, "provider"),
      json_object_get_string_member (engine, "model"),
      json_object_get_string_member (engine, "state"));
  if (json_object_has_member (engine, "rtf"))
    printf (" loads in %.1f s, %.2f s per second of speech, %.0f MiB",
        json_object_get_double_member (engine, "load_s"),
        json_object_get_double_member (engine, "rtf"),
        json_object_get_double_member (engine, "memory_mib"));
  else if (json_object_has_member (engine, "why"))
    printf (" %s (%s)", json_object_get_string_member (engine, "why"),
        json_object_get_string_member (engine, "bring"));
  putchar ('\n');
}

static void
print_lines (JsonNode *root)
{
  JsonArray *engines =
      json_object_get_array_member (json_node_get_object (root), "engines");

  for (guint i = 0; i < json_array_get_length (engines); i++)
    print_line (json_array_get_object_element (engines, i));
}

static int
measure (const Settings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubPcm) clip = NULL;
  g_autoptr (JsonNode) root = NULL;

  if (!settings->is_quick && (clip = read_clip (settings, &error)) == NULL) {
    fprintf (stderr, "measure: %s\n", error->message);
    return EX_NOINPUT;
  }
  root = look_at_all (settings, clip);
  if (settings->is_json) {
    g_autofree char *text = json_to_string (root, TRUE);

    puts (text);
  } else {
    print_lines (root);
  }
  return EX_OK;
}

int
dub_command_measure (int argc, char **argv)
{
  Settings settings = {.clip = NULL};
  DubCommand command = {
      "", "Prints what each engine costs here.", options, &settings, 0, 0};
  int status = EX_OK;

  if (dub_command_begin (&command, &argc, &argv, &status)) {
    status = measure (&settings);
    dub_config_clear (options, &settings);
  }
  return status;
}
