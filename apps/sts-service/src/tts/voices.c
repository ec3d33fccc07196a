/* SPDX-License-Identifier: Apache-2.0 */
#include "voices.h"

#include "voices_resource.h"

#include <dubbing_common/error.h>
#include <dubbing_common/yaml_tree.h>
#include <gio/gio.h>
#include <math.h>
#include <string.h>

#define DEFAULT_PROFILE "default"
#define BUILT_IN "/dubbing/sts/voices.yaml"

enum {
  TAKES_PITCH = 1 << 0,
  TAKES_MODEL = 1 << 1,
  TAKES_SETTINGS = 1 << 2,
  NEEDS_NO_VOICE = 1 << 3,
};

/* What a line may say depends on who reads it: a setting that would be passed
 * over in silence is an error. */
static const struct {
  const char *name;
  guint takes;
} engines[] = {
    {"piper", 0},
    {"kokoro", 0},
    {"espeak", TAKES_PITCH | NEEDS_NO_VOICE},
    {"elevenlabs", TAKES_MODEL | TAKES_SETTINGS},
    {"openai", TAKES_MODEL},
    {"coqui", NEEDS_NO_VOICE},
};

struct _DubVoices {
  gatomicrefcount ref_count;
  char *name;
  GStringChunk *texts;  /* every string of voices */
  GArray *voices;       /* of DubVoice */
  GHashTable *speakers; /* label -> profile */
};

typedef struct {
  DubVoices *voices;
  const char *profile;
  const char *language;
} Place;

/* ---- errors ------------------------------------------------------------ */

static gboolean refuse (const DubVoices *self, const DubYamlNode *node,
    GError **error, const char *format, ...) G_GNUC_PRINTF (4, 5);

static gboolean
refuse (const DubVoices *self, const DubYamlNode *node, GError **error,
    const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "%s, line %u: %s",
      self->name, node->line, what);
  return FALSE;
}

static gboolean
is_kind (const DubVoices *self, const DubYamlNode *node, DubYamlKind kind,
    GError **error)
{
  static const char *const words[] = {"", "text", "a list", "a map"};

  if (node->kind == kind)
    return TRUE;
  return refuse (self, node, error, "%s is wanted here, not %s", words[kind],
      words[node->kind]);
}

/* ---- one voice --------------------------------------------------------- */

static const char *
keep (DubVoices *self, const char *text)
{
  return g_string_chunk_insert_const (self->texts, text);
}

static gboolean
take_number (const DubVoices *self, const DubYamlNode *node, const char *key,
    double range[2], double *value, GError **error)
{
  char *end = NULL;
  double number;

  if (!is_kind (self, node, DUB_YAML_TEXT, error))
    return FALSE;
  number = g_ascii_strtod (node->text, &end);
  if (*node->text == '\0' || *end != '\0' || !isfinite (number) ||
      number < range[0] || number > range[1])
    return refuse (self, node, error,
        "%s '%s': a number from %g to %g is wanted", key, node->text, range[0],
        range[1]);
  *value = number;
  return TRUE;
}

static gboolean
take_text (DubVoices *self, const DubYamlNode *node, const char **ret_text,
    GError **error)
{
  if (!is_kind (self, node, DUB_YAML_TEXT, error))
    return FALSE;
  *ret_text = keep (self, node->text);
  return TRUE;
}

static gboolean
take_engine (DubVoices *self, const DubYamlNode *node, DubVoice *voice,
    guint *ret_takes, GError **error)
{
  const DubYamlNode *name = dub_yaml_get (node, "engine");

  if (name == NULL)
    return refuse (self, node, error, "a voice without an engine");
  if (!take_text (self, name, &voice->engine, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (engines); i++)
    if (g_str_equal (voice->engine, engines[i].name)) {
      *ret_takes = engines[i].takes;
      return TRUE;
    }
  return refuse (self, name, error, "there is no engine '%s'", voice->engine);
}

static gboolean
take_member (DubVoices *self, const DubYamlNode *node, const char *key,
    guint takes, DubVoice *voice, GError **error)
{
  double speed[] = {0.5, 2}, pitch[] = {-12, 12}, share[] = {0, 1};

  if (g_str_equal (key, "engine"))
    return TRUE;
  if (g_str_equal (key, "voice"))
    return take_text (self, node, &voice->voice, error);
  if (g_str_equal (key, "speed"))
    return take_number (self, node, key, speed, &voice->speed, error);
  if (g_str_equal (key, "model") && (takes & TAKES_MODEL))
    return take_text (self, node, &voice->model, error);
  if (g_str_equal (key, "pitch") && (takes & TAKES_PITCH))
    return take_number (self, node, key, pitch, &voice->pitch, error);
  if (g_str_equal (key, "stability") && (takes & TAKES_SETTINGS))
    return take_number (self, node, key, share, &voice->stability, error);
  if (g_str_equal (key, "similarity_boost") && (takes & TAKES_SETTINGS))
    return take_number (self, node, key, share, &voice->similarity, error);
  return refuse (
      self, node, error, "engine %s takes no '%s'", voice->engine, key);
}

static gboolean
take_voice (const Place *place, const DubYamlNode *node, GError **error)
{
  DubVoices *self = place->voices;
  DubVoice voice = {
      place->profile, place->language, "", "", "", 1, 0, -1, -1, node->line};
  guint takes = 0;

  if (!is_kind (self, node, DUB_YAML_MAP, error) ||
      !take_engine (self, node, &voice, &takes, error))
    return FALSE;
  for (guint i = 0; i < node->keys->len; i++)
    if (!take_member (self, g_ptr_array_index (node->values, i),
            g_ptr_array_index (node->keys, i), takes, &voice, error))
      return FALSE;
  if (*voice.voice == '\0' && !(takes & NEEDS_NO_VOICE))
    return refuse (self, node, error, "%s: which voice of %s?", place->language,
        voice.engine);
  if (self->voices->len >= DUB_VOICES_MAX)
    return refuse (
        self, node, error, "more than %d voices are not taken", DUB_VOICES_MAX);
  g_array_append_val (self->voices, voice);
  return TRUE;
}

/* ---- the file ---------------------------------------------------------- */

/* "es", "pt-br", "zh-hant-tw", or "*" for every other one. */
static char *
tag_of (const char *text)
{
  g_autofree char *tag = g_ascii_strdown (text, -1);
  gsize length = strlen (tag);

  if (g_str_equal (tag, "*"))
    return g_steal_pointer (&tag);
  g_strdelimit (tag, "_", '-');
  if (length < 2 || length > 16 || !g_ascii_isalpha (tag[0]))
    return NULL;
  for (const char *p = tag; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && *p != '-')
      return NULL;
  return g_steal_pointer (&tag);
}

static gboolean
take_language (DubVoices *self, const char *profile, const char *language,
    const DubYamlNode *list, GError **error)
{
  g_autofree char *tag = tag_of (language);
  Place place;

  if (tag == NULL)
    return refuse (self, list, error, "'%s' is no language tag", language);
  if (!is_kind (self, list, DUB_YAML_LIST, error))
    return FALSE;
  if (list->values->len == 0)
    return refuse (self, list, error, "%s has no voice", language);
  place = (Place){self, keep (self, profile), keep (self, tag)};
  for (guint i = 0; i < list->values->len; i++)
    if (!take_voice (&place, g_ptr_array_index (list->values, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
take_languages (DubVoices *self, const char *profile, const DubYamlNode *map,
    GError **error)
{
  if (!is_kind (self, map, DUB_YAML_MAP, error))
    return FALSE;
  for (guint i = 0; i < map->keys->len; i++)
    if (!take_language (self, profile, g_ptr_array_index (map->keys, i),
            g_ptr_array_index (map->values, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
take_profiles (DubVoices *self, const DubYamlNode *map, GError **error)
{
  if (!is_kind (self, map, DUB_YAML_MAP, error))
    return FALSE;
  for (guint i = 0; i < map->keys->len; i++) {
    const char *name = g_ptr_array_index (map->keys, i);
    const DubYamlNode *languages = g_ptr_array_index (map->values, i);

    if (g_str_equal (name, DEFAULT_PROFILE))
      return refuse (self, languages, error,
          "the profile '" DEFAULT_PROFILE "' is what languages: says");
    if (!take_languages (self, name, languages, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
take_speakers (DubVoices *self, const DubYamlNode *map, GError **error)
{
  if (!is_kind (self, map, DUB_YAML_MAP, error))
    return FALSE;
  for (guint i = 0; i < map->keys->len; i++) {
    const DubYamlNode *profile = g_ptr_array_index (map->values, i);

    if (!is_kind (self, profile, DUB_YAML_TEXT, error))
      return FALSE;
    if (!dub_voices_has_profile (self, profile->text))
      return refuse (
          self, profile, error, "there is no profile '%s'", profile->text);
    g_hash_table_insert (self->speakers,
        g_strdup (g_ptr_array_index (map->keys, i)), g_strdup (profile->text));
  }
  return TRUE;
}

static gboolean
take_file (DubVoices *self, const DubYamlNode *root, GError **error)
{
  static const char *const known[] = {
      "languages", "profiles", "speakers", NULL};
  const DubYamlNode *languages = dub_yaml_get (root, "languages");
  const DubYamlNode *profiles = dub_yaml_get (root, "profiles");
  const DubYamlNode *speakers = dub_yaml_get (root, "speakers");

  if (!is_kind (self, root, DUB_YAML_MAP, error))
    return FALSE;
  for (guint i = 0; i < root->keys->len; i++)
    if (!g_strv_contains (known, g_ptr_array_index (root->keys, i)))
      return refuse (self, g_ptr_array_index (root->values, i), error,
          "'%s' is none of languages, profiles, speakers",
          (const char *) g_ptr_array_index (root->keys, i));
  if (languages == NULL)
    return refuse (self, root, error, "there are no languages");
  /* Speakers name profiles, so they come last whatever the file's order. */
  return take_languages (self, DEFAULT_PROFILE, languages, error) &&
         (profiles == NULL || take_profiles (self, profiles, error)) &&
         (speakers == NULL || take_speakers (self, speakers, error));
}

static DubVoices *
voices_new (const char *name)
{
  DubVoices *self = g_new0 (DubVoices, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->name = g_strdup (name);
  self->texts = g_string_chunk_new (1024);
  self->voices = g_array_new (FALSE, FALSE, sizeof (DubVoice));
  self->speakers =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

DubVoices *
dub_voices_parse (
    const char *name, const char *text, gsize length, GError **error)
{
  g_autoptr (DubVoices) self = voices_new (name);
  g_autoptr (DubYamlNode) root = dub_yaml_parse (text, length, error);

  if (root == NULL) {
    g_prefix_error (error, "%s, ", name);
    return NULL;
  }
  return take_file (self, root, error) ? g_steal_pointer (&self) : NULL;
}

static DubVoices *
load_built_in (GError **error)
{
  g_autoptr (GBytes) bytes = g_resource_lookup_data (
      voices_get_resource (), BUILT_IN, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
  gsize length = 0;
  const char *text = NULL;

  if (bytes == NULL)
    return NULL;
  text = g_bytes_get_data (bytes, &length);
  return dub_voices_parse ("the built-in voices", text, length, error);
}

DubVoices *
dub_voices_load (const char *path, GError **error)
{
  g_autoptr (GMappedFile) file = NULL;
  g_autoptr (GError) local = NULL;

  if (path == NULL || *path == '\0')
    return load_built_in (error);
  file = g_mapped_file_new (path, FALSE, &local);
  if (file == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "no file of voices '%s': %s", path, local->message);
    return NULL;
  }
  /* An empty file is mapped to nothing. */
  return dub_voices_parse (path,
      g_mapped_file_get_length (file) > 0 ? g_mapped_file_get_contents (file)
                                          : "",
      g_mapped_file_get_length (file), error);
}

DubVoices *
dub_voices_ref (DubVoices *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
dub_voices_unref (DubVoices *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_free (self->name);
  g_string_chunk_free (self->texts);
  g_array_unref (self->voices);
  g_hash_table_unref (self->speakers);
  g_free (self);
}

/* ---- questions --------------------------------------------------------- */

guint
dub_voices_count (const DubVoices *self)
{
  return self->voices->len;
}

const DubVoice *
dub_voices_get (const DubVoices *self, guint index)
{
  return &g_array_index (self->voices, DubVoice, index);
}

const char *
dub_voices_name (const DubVoices *self)
{
  return self->name;
}

gboolean
dub_voices_has_profile (const DubVoices *self, const char *profile)
{
  for (guint i = 0; i < self->voices->len; i++)
    if (g_str_equal (dub_voices_get (self, i)->profile, profile))
      return TRUE;
  return FALSE;
}

static const DubVoice *
find_tag (const DubVoices *self, const char *engine, const char *profile,
    const char *tag)
{
  for (guint i = 0; i < self->voices->len; i++) {
    const DubVoice *voice = dub_voices_get (self, i);
    if (g_str_equal (voice->engine, engine) &&
        g_str_equal (voice->profile, profile) &&
        g_str_equal (voice->language, tag))
      return voice;
  }
  return NULL;
}

/* "zh-hant-tw", "zh-hant", "zh", "*" */
static const DubVoice *
find_language (const DubVoices *self, const char *engine, const char *profile,
    const char *language)
{
  g_autofree char *tag = tag_of (language);
  const DubVoice *voice = NULL;

  while (tag != NULL && voice == NULL) {
    char *dash = strrchr (tag, '-');
    voice = find_tag (self, engine, profile, tag);
    if (dash == NULL)
      break;
    *dash = '\0';
  }
  return voice != NULL ? voice : find_tag (self, engine, profile, "*");
}

const DubVoice *
dub_voices_find (const DubVoices *self, const DubVoiceQuery *query)
{
  const char *profile = query->profile != NULL && *query->profile != '\0'
                            ? query->profile
                            : DEFAULT_PROFILE;
  const char *own = query->speaker != NULL
                        ? g_hash_table_lookup (self->speakers, query->speaker)
                        : NULL;
  const DubVoice *voice = NULL;

  if (own != NULL)
    voice = find_language (self, query->engine, own, query->language);
  return voice != NULL
             ? voice
             : find_language (self, query->engine, profile, query->language);
}
