/* SPDX-License-Identifier: Apache-2.0 */
#include "engines.h"

#include "programs/programs.h"

#include <dubbing_common/error.h>
#include <dubbing_common/paths.h>
#include <stdio.h>
#include <string.h>

#define MAX_ENGINES 256
#define MAX_TEXT (1 << 20)

static void
engine_free (gpointer data)
{
  DubEngine *engine = data;

  g_free (engine->stage);
  g_free (engine->provider);
  g_free (engine->model);
  g_free (engine->languages);
  g_free (engine->bring);
  g_free (engine->state);
  g_free (engine->why);
  g_free (engine->about);
  g_free (engine);
}

void
dub_engines_free (DubEngines *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->list);
  g_free (self);
}

/* ---- what measure prints ---- */

static JsonNode *
member (JsonObject *object, const char *name, GType type)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) &&
                 json_node_get_value_type (node) == type
             ? node
             : NULL;
}

static char *
text_of (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name, G_TYPE_STRING);

  return g_strdup (node != NULL ? json_node_get_string (node) : "");
}

static double
number_of (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name, G_TYPE_DOUBLE);

  return node != NULL ? CLAMP (json_node_get_double (node), 0, 1e9) : 0;
}

static gboolean
flag_of (JsonObject *object, const char *name)
{
  JsonNode *node = member (object, name, G_TYPE_BOOLEAN);

  return node != NULL && json_node_get_boolean (node);
}

static DubEngine *
read_engine (JsonObject *object)
{
  DubEngine *engine = g_new0 (DubEngine, 1);

  engine->stage = text_of (object, "stage");
  engine->provider = text_of (object, "provider");
  engine->model = text_of (object, "model");
  engine->languages = text_of (object, "languages");
  engine->bring = text_of (object, "bring");
  engine->state = text_of (object, "state");
  engine->why = text_of (object, "why");
  engine->about = text_of (object, "about");
  engine->translates = flag_of (object, "translates");
  engine->is_remote = flag_of (object, "remote");
  engine->load_s = number_of (object, "load_s");
  engine->rtf = number_of (object, "rtf");
  engine->memory_mib = number_of (object, "memory_mib");
  engine->is_measured = engine->rtf > 0;
  return engine;
}

static DubEngines *
read_all (JsonObject *root)
{
  JsonNode *node = json_object_get_member (root, "engines");
  JsonNode *cores = member (root, "cores", G_TYPE_INT64);
  JsonArray *array;
  DubEngines *self;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return NULL;
  array = json_node_get_array (node);
  self = g_new0 (DubEngines, 1);
  self->list = g_ptr_array_new_with_free_func (engine_free);
  self->cores =
      cores != NULL ? (guint) CLAMP (json_node_get_int (cores), 1, 4096) : 1;
  for (guint i = 0; i < MIN (json_array_get_length (array), MAX_ENGINES); i++) {
    JsonNode *each = json_array_get_element (array, i);

    if (JSON_NODE_HOLDS_OBJECT (each))
      g_ptr_array_add (self->list, read_engine (json_node_get_object (each)));
  }
  return self;
}

DubEngines *
dub_engines_parse (const char *text, GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GError) cause = NULL;
  DubEngines *self = NULL;

  if (strlen (text) <= MAX_TEXT)
    root = json_from_string (text, &cause);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    self = read_all (json_node_get_object (root));
  if (self == NULL)
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "sts-service measure: not understood%s%s", cause != NULL ? ": " : "",
        cause != NULL ? cause->message : "");
  return self;
}

/* ---- asking, and remembering ---- */

static char *
file_text (const char *path)
{
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

/* What the figures hold for: this machine, these versions, these models. */
static char *
make_key (const char *version, const char *present)
{
  g_autofree char *machine = file_text ("/etc/machine-id");
  g_autofree char *cpu = file_text ("/proc/cpuinfo");
  const char *model = cpu != NULL ? strstr (cpu, "model name") : NULL;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *cores = g_strdup_printf ("%u", g_get_num_processors ());

  g_checksum_update (sum, (const guchar *) cores, -1);
  if (machine != NULL)
    g_checksum_update (sum, (const guchar *) machine, -1);
  if (model != NULL)
    g_checksum_update (
        sum, (const guchar *) model, (gssize) strcspn (model, "\n"));
  g_checksum_update (sum, (const guchar *) version, -1);
  g_checksum_update (sum, (const guchar *) present, -1);
  return g_strdup (g_checksum_get_string (sum));
}

/* The name holds the key, so that another machine or build has another file
 * and an old answer is never read. (transfer full) */
static char *
cache_path (const char *key)
{
  g_autofree char *folder = dub_cache_dir ();
  g_autofree char *name = g_strdup_printf ("measured-%.16s.json", key);

  return g_build_filename (folder, name, NULL);
}

static void
remember (const char *path, const char *text)
{
  g_autofree char *folder = g_path_get_dirname (path);

  /* Without it the next call measures again; no more is lost. */
  if (g_mkdir_with_parents (folder, 0755) == 0)
    g_file_set_contents (path, text, -1, NULL);
}

DubEngines *
dub_engines_find (DubEnginesHow how, GError **error)
{
  g_autofree char *program = dub_program_find ("sts-service", error);
  const char *quick[] = {program, "measure", "--json", "--quick", NULL};
  const char *slow[] = {program, "measure", "--json", NULL};
  const char *versions[] = {program, "--version", NULL};
  g_autofree char *present = NULL, *version = NULL, *key = NULL, *path = NULL;
  g_autofree char *text = NULL;

  if (program == NULL)
    return NULL;
  present = dub_program_ask (quick, error);
  version = present != NULL ? dub_program_ask (versions, error) : NULL;
  if (version == NULL)
    return NULL;
  key = make_key (version, present);
  path = cache_path (key);
  if (how != DUB_ENGINES_MEASURE)
    text = file_text (path);
  if (text == NULL && how == DUB_ENGINES_QUICK)
    text = g_strdup (present);
  if (text == NULL) {
    fputs ("measuring the engines, once for this machine and these models "
           "(half a minute; large ones take minutes)\n",
        stderr);
    text = dub_program_ask (slow, error);
    if (text == NULL)
      return NULL;
    remember (path, text);
  }
  return dub_engines_parse (text, error);
}
