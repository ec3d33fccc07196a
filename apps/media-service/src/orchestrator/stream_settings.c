/* SPDX-License-Identifier: Apache-2.0 */
#include "stream_settings.h"

#include "../control/json_text.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <math.h>
#include <media_service/output_url.h>
#include <string.h>

#define MAX_QUERY 2048
#define MAX_QUERY_WORD 32
#define MAX_NAME 32

typedef enum {
  KIND_WORD, /* letters, digits, and what marks says; min to max of them */
  KIND_LANGUAGES,
  KIND_INT,
  KIND_NUMBER,
  KIND_CHOICE,
  KIND_DESTINATIONS,
  KIND_URL,
} Kind;

typedef struct {
  const char *name, *variable;
  Kind kind;
  double min, max;
  const char *marks;
  const char *const *choices; /* of a URL: its schemes */
} Field;

const char *const dub_mix_modes[] = {"lower", "remove", NULL};
const char *const dub_fallback_modes[] = {
    "pass-through", "ducked-original", "silence", "last-good-dub", NULL};
static const char *const input_schemes[] = {
    "rtmp", "rtmps", "rtsp", "file", NULL};
const char *const dub_output_schemes[] = {
    "rtmp", "rtmps", "rtsp", "rtsps", "srt", NULL};

static const Field fields[DUB_N_SETTINGS] = {
    {"source_language", "WORKER_SOURCE_LANGUAGE", KIND_WORD, 2, 16, "-"},
    {"target_languages", "WORKER_TARGET_LANGUAGES", KIND_LANGUAGES, 2, 16, "-"},
    {"voice_profile", "WORKER_VOICE_PROFILE", KIND_WORD, 1, 64, "-_."},
    {"output_delay_ms", "OUTPUT_DELAY_MS", KIND_INT, 3000, 30000},
    {"duck_db", "DUCK_DB", KIND_NUMBER, -60, 0},
    {"mix_mode", "MIX_MODE", KIND_CHOICE, .choices = dub_mix_modes},
    {"fallback_mode", "FALLBACK_MODE", KIND_CHOICE,
        .choices = dub_fallback_modes},
    {"destinations", "EGRESS_DESTINATIONS", KIND_DESTINATIONS},
    {"input_url", "INPUT_URL", KIND_URL, .choices = input_schemes},
    {"output_url", "OUTPUT_URL", KIND_URL, .choices = dub_output_schemes},
};

const char *
dub_setting_name (DubSetting setting)
{
  return (guint) setting < DUB_N_SETTINGS ? fields[setting].name : NULL;
}

const char *
dub_setting_variable (DubSetting setting)
{
  g_return_val_if_fail ((guint) setting < DUB_N_SETTINGS, NULL);
  return fields[setting].variable;
}

/* --- a layer --- */

DubStreamSettings *
dub_stream_settings_new (void)
{
  return g_new0 (DubStreamSettings, 1);
}

DubStreamSettings *
dub_stream_settings_copy (const DubStreamSettings *from)
{
  DubStreamSettings *self = dub_stream_settings_new ();

  dub_stream_settings_lay (self, from);
  return self;
}

void
dub_stream_settings_free (DubStreamSettings *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < DUB_N_SETTINGS; i++)
    g_free (self->values[i]);
  g_free (self);
}

gboolean
dub_stream_settings_equal (
    const DubStreamSettings *a, const DubStreamSettings *b)
{
  for (guint i = 0; i < DUB_N_SETTINGS; i++)
    if (g_strcmp0 (a->values[i], b->values[i]) != 0)
      return FALSE;
  return TRUE;
}

void
dub_stream_settings_lay (
    DubStreamSettings *self, const DubStreamSettings *upper)
{
  for (guint i = 0; upper != NULL && i < DUB_N_SETTINGS; i++) {
    if (upper->values[i] == NULL)
      continue;
    g_free (self->values[i]);
    self->values[i] = g_strdup (upper->values[i]);
  }
}

/* --- checks; each gives the value's text, or NULL and says why --- */

static char *
refuse (const char *name, const char *what, GError **error)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "%s: %s", name, what);
  return NULL;
}

static gboolean
is_word (const char *text, double min, double max, const char *marks)
{
  gsize length = strlen (text);

  if (length < min || length > max)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && strchr (marks, text[i]) == NULL)
      return FALSE;
  return TRUE;
}

/* (nullable) */
static const char *
text_of (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) &&
                 json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

static char *
take_word (const Field *field, JsonNode *node, GError **error)
{
  const char *text = text_of (node);
  g_autofree char *what = NULL;

  if (text != NULL && is_word (text, field->min, field->max, field->marks))
    return g_strdup (text);
  what = g_strdup_printf ("a text of %g to %g letters, digits and \"%s\"",
      field->min, field->max, field->marks);
  return refuse (field->name, what, error);
}

static gboolean
contains (GPtrArray *list, const char *text)
{
  return g_ptr_array_find_with_equal_func (list, text, g_str_equal, NULL);
}

static char *
take_languages (const Field *field, JsonNode *node, GError **error)
{
  static const char what[] =
      "a list of 1 to 8 different languages such as \"en\" or \"pt-BR\"";
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  JsonArray *array;

  if (!JSON_NODE_HOLDS_ARRAY (node))
    return refuse (field->name, what, error);
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    const char *text = text_of (json_array_get_element (array, i));

    if (text == NULL || list->len == DUB_MAX_LANGUAGES ||
        !is_word (text, field->min, field->max, field->marks) ||
        contains (list, text))
      return refuse (field->name, what, error);
    g_ptr_array_add (list, (gpointer) text);
  }
  if (list->len == 0)
    return refuse (field->name, what, error);
  g_ptr_array_add (list, NULL);
  return g_strjoinv (",", (char **) list->pdata);
}

static char *
take_number (const Field *field, JsonNode *node, GError **error)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  gboolean is_int = field->kind == KIND_INT;
  GType type =
      JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : 0;
  g_autofree char *what = NULL;
  double value;

  if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE) {
    value = json_node_get_double (node);
    if (isfinite (value) && value >= field->min && value <= field->max &&
        (!is_int || value == floor (value)))
      return g_strdup (g_ascii_formatd (text, sizeof text, "%.10g", value));
  }
  what = g_strdup_printf ("a %s from %g to %g",
      is_int ? "whole number" : "number", field->min, field->max);
  return refuse (field->name, what, error);
}

static char *
take_choice (const Field *field, JsonNode *node, GError **error)
{
  const char *text = text_of (node);
  g_autofree char *names = g_strjoinv (", ", (char **) field->choices);
  g_autofree char *what = g_strconcat ("one of ", names, NULL);

  if (text != NULL && g_strv_contains (field->choices, text))
    return g_strdup (text);
  return refuse (field->name, what, error);
}

/* Nothing that a log, a terminal or another parser would read differently. */
static gboolean
is_plain (const char *text)
{
  for (; *text != '\0'; text++)
    if (!g_ascii_isgraph (*text))
      return FALSE;
  return TRUE;
}

static gboolean
is_url (const char *text, const char *const *schemes)
{
  g_autoptr (GUri) uri = NULL;

  if (text == NULL || strlen (text) > DUB_MAX_URL || !is_plain (text))
    return FALSE;
  uri =
      g_uri_parse (text, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_NON_DNS, NULL);
  return uri != NULL && g_strv_contains (schemes, g_uri_get_scheme (uri)) &&
         !g_str_equal (g_uri_get_scheme (uri), "file") &&
         g_uri_get_host (uri) != NULL && *g_uri_get_host (uri) != '\0';
}

/* A file of this machine: where it may lie is judged by who asks. */
static gboolean
is_file (const char *text, const char *const *schemes)
{
  g_autofree char *host = NULL;
  g_autofree char *path = NULL;

  if (text == NULL || strlen (text) > DUB_MAX_URL || !is_plain (text) ||
      !g_str_has_prefix (text, "file://") || !g_strv_contains (schemes, "file"))
    return FALSE;
  path = g_filename_from_uri (text, &host, NULL);
  return path != NULL && (host == NULL || *host == '\0');
}

static char *
take_url (const Field *field, JsonNode *node, GError **error)
{
  const char *text = text_of (node);
  g_autofree char *names = g_strjoinv (", ", (char **) field->choices);
  g_autofree char *what =
      g_strdup_printf ("a URL with a host (a file's without), at most %d "
                       "bytes, whose scheme is one of %s",
          DUB_MAX_URL, names);

  if (is_file (text, field->choices) || is_url (text, field->choices))
    return g_strdup (text);
  return refuse (field->name, what, error);
}

/* Two of a name cannot be told apart; two of a URL throw each other out, and a
 * worker refuses both. */
static gboolean
is_destination (JsonNode *node, GPtrArray *names, GPtrArray *urls)
{
  JsonObject *object;
  const char *name, *url, *language;
  gboolean has_language;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return FALSE;
  object = json_node_get_object (node);
  name = dub_json_object_get_text (object, "name");
  url = dub_json_object_get_text (object, "url");
  language = dub_json_object_get_text (object, "language");
  has_language = json_object_has_member (object, "language");
  if (name == NULL || !is_word (name, 1, MAX_NAME, "-_") ||
      contains (names, name) || !is_url (url, dub_output_schemes) ||
      contains (urls, url) ||
      (has_language && (language == NULL || !is_word (language, 2, 16, "-"))) ||
      json_object_get_size (object) != (has_language ? 3 : 2))
    return FALSE;
  g_ptr_array_add (names, (gpointer) name);
  g_ptr_array_add (urls, (gpointer) url);
  return TRUE;
}

static char *
take_destinations (const Field *field, JsonNode *node, GError **error)
{
  static const char what[] =
      "a list of at most 16 {\"name\", \"url\", \"language\"}: each name of 1 "
      "to 32 letters, digits, \"-\" and \"_\" once only, each URL once only "
      "and "
      "one of rtmp, rtmps, rtsp, rtsps or srt; 12288 bytes in all";
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (GPtrArray) urls = g_ptr_array_new ();
  g_autofree char *text = NULL;
  JsonArray *array;

  if (!JSON_NODE_HOLDS_ARRAY (node))
    return refuse (field->name, what, error);
  array = json_node_get_array (node);
  if (json_array_get_length (array) > DUB_MAX_DESTINATIONS)
    return refuse (field->name, what, error);
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (!is_destination (json_array_get_element (array, i), names, urls))
      return refuse (field->name, what, error);
  text = json_to_string (node, FALSE);
  if (strlen (text) > DUB_MAX_DESTINATIONS_BYTES)
    return refuse (field->name, what, error);
  return g_steal_pointer (&text);
}

static char *
take_value (const Field *field, JsonNode *node, GError **error)
{
  switch (field->kind) {
    case KIND_WORD:
      return take_word (field, node, error);
    case KIND_LANGUAGES:
      return take_languages (field, node, error);
    case KIND_INT:
    case KIND_NUMBER:
      return take_number (field, node, error);
    case KIND_CHOICE:
      return take_choice (field, node, error);
    case KIND_DESTINATIONS:
      return take_destinations (field, node, error);
    case KIND_URL:
    default:
      return take_url (field, node, error);
  }
}

static int
find_field (const char *name)
{
  for (int i = 0; i < DUB_N_SETTINGS; i++)
    if (g_str_equal (fields[i].name, name))
      return i;
  return -1;
}

gboolean
dub_stream_settings_set (
    DubStreamSettings *self, const char *name, JsonNode *value, GError **error)
{
  int i = find_field (name);
  char *text = NULL;

  if (i < 0) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "%.64s: there is no such setting", name);
    return FALSE;
  }
  if (!JSON_NODE_HOLDS_NULL (value)) {
    text = take_value (&fields[i], value, error);
    if (text == NULL)
      return FALSE;
  }
  g_free (self->values[i]);
  self->values[i] = text;
  return TRUE;
}

/* --- keys that are not shown --- */

/* The URL of the destination of that name. (nullable) (transfer none) */
static const char *
find_url (JsonArray *destinations, const char *name)
{
  for (guint i = 0; i < json_array_get_length (destinations); i++) {
    JsonObject *object = json_array_get_object_element (destinations, i);

    if (g_strcmp0 (dub_json_object_get_text (object, "name"), name) == 0)
      return dub_json_object_get_text (object, "url");
  }
  return NULL;
}

static void
restore_key (JsonObject *object, JsonArray *before)
{
  const char *shown = dub_json_object_get_text (object, "url");
  const char *name = dub_json_object_get_text (object, "name");
  const char *url = name != NULL ? find_url (before, name) : NULL;
  g_autofree char *redacted = url != NULL ? dub_redact_url (url) : NULL;

  if (shown != NULL && g_strcmp0 (shown, redacted) == 0)
    json_object_set_string_member (object, "url", url);
}

void
dub_stream_settings_restore_keys (
    JsonNode *destinations, const DubStreamSettings *before)
{
  const char *text =
      before != NULL ? before->values[DUB_SETTING_DESTINATIONS] : NULL;
  g_autoptr (JsonNode) old =
      text != NULL ? json_from_string (text, NULL) : NULL;
  JsonArray *array;

  if (old == NULL || !JSON_NODE_HOLDS_ARRAY (destinations))
    return;
  array = json_node_get_array (destinations);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *node = json_array_get_element (array, i);

    if (JSON_NODE_HOLDS_OBJECT (node))
      restore_key (json_node_get_object (node), json_node_get_array (old));
  }
}

/* --- the publisher's query --- */

static void
take_pair (DubStreamSettings *self, const char *name, const char *value)
{
  DubSetting setting;

  if (g_str_equal (name, "from"))
    setting = DUB_SETTING_SOURCE_LANGUAGE;
  else if (g_str_equal (name, "to"))
    setting = DUB_SETTING_TARGET_LANGUAGES;
  else if (g_str_equal (name, "voice"))
    setting = DUB_SETTING_VOICE_PROFILE;
  else
    return;
  if (!is_word (value, 2,
          setting == DUB_SETTING_VOICE_PROFILE ? MAX_QUERY_WORD : 16,
          setting == DUB_SETTING_VOICE_PROFILE ? "-_." : "-"))
    return;
  g_free (self->values[setting]);
  self->values[setting] = g_strdup (value);
}

DubStreamSettings *
dub_stream_settings_parse_query (const char *query)
{
  DubStreamSettings *self = dub_stream_settings_new ();
  g_auto (GStrv) pairs = NULL;

  if (query == NULL || strlen (query) > MAX_QUERY)
    return self;
  pairs = g_strsplit (query + (*query == '?'), "&", -1);
  for (gsize i = 0; pairs[i] != NULL; i++) {
    char *equals = strchr (pairs[i], '=');
    g_autofree char *value = NULL;

    if (equals == NULL)
      continue;
    *equals = '\0';
    value = g_uri_unescape_string (equals + 1, NULL);
    if (value != NULL)
      take_pair (self, pairs[i], value);
  }
  return self;
}

/* --- JSON --- */

static void
hide_keys (JsonNode *destinations)
{
  JsonArray *array = json_node_get_array (destinations);

  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonObject *object = json_array_get_object_element (array, i);
    g_autofree char *shown =
        dub_redact_url (json_object_get_string_member (object, "url"));

    json_object_set_string_member (object, "url", shown);
  }
}

/* (transfer full) */
static JsonNode *
value_to_json (const Field *field, const char *text, gboolean shows_keys)
{
  JsonNode *node = json_node_new (JSON_NODE_VALUE);
  g_autofree char *shown = NULL;
  g_auto (GStrv) words = NULL;
  JsonArray *array;

  switch (field->kind) {
    case KIND_INT:
      json_node_set_int (node, g_ascii_strtoll (text, NULL, 10));
      return node;
    case KIND_NUMBER:
      json_node_set_double (node, g_ascii_strtod (text, NULL));
      return node;
    case KIND_URL:
      shown = shows_keys ? g_strdup (text) : dub_redact_url (text);
      json_node_set_string (node, shown);
      return node;
    case KIND_DESTINATIONS:
      json_node_unref (node);
      node = json_from_string (text, NULL);
      if (!shows_keys)
        hide_keys (node);
      return node;
    case KIND_LANGUAGES:
      array = json_array_new ();
      words = g_strsplit (text, ",", -1);
      for (gsize i = 0; words[i] != NULL; i++)
        json_array_add_string_element (array, words[i]);
      json_node_unref (node);
      node = json_node_new (JSON_NODE_ARRAY);
      json_node_take_array (node, array);
      return node;
    default:
      json_node_set_string (node, text);
      return node;
  }
}

JsonObject *
dub_stream_settings_to_json (const DubStreamSettings *self, gboolean shows_keys)
{
  JsonObject *object = json_object_new ();

  for (guint i = 0; i < DUB_N_SETTINGS; i++)
    if (self->values[i] != NULL)
      json_object_set_member (object, fields[i].name,
          value_to_json (&fields[i], self->values[i], shows_keys));
  return object;
}

DubStreamSettings *
dub_stream_settings_from_json (JsonObject *object)
{
  DubStreamSettings *self = dub_stream_settings_new ();
  JsonObjectIter iter;
  const char *name;
  JsonNode *node;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, &node))
    dub_stream_settings_set (self, name, node, NULL);
  return self;
}

/* --- what others ask --- */

char **
dub_stream_settings_languages (const DubStreamSettings *self)
{
  const char *text = self->values[DUB_SETTING_TARGET_LANGUAGES];

  return g_strsplit (text != NULL ? text : "", ",", -1);
}

char *
dub_stream_settings_main_language (const DubStreamSettings *self)
{
  g_auto (GStrv) languages = dub_stream_settings_languages (self);

  return g_strdup (languages[0] != NULL ? languages[0] : "");
}

gboolean
dub_stream_settings_check (const DubStreamSettings *all, GError **error)
{
  g_auto (GStrv) languages = dub_stream_settings_languages (all);
  const char *url = all->values[DUB_SETTING_OUTPUT_URL];
  g_autofree char *other =
      url != NULL ? dub_output_url_of_language (url, "en") : NULL;

  if (url == NULL || other != NULL || g_strv_length (languages) < 2)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "%s: several by SRT need an output_url with a path, as in "
      "srt://host:port?streamid=publish:path",
      fields[DUB_SETTING_TARGET_LANGUAGES].name);
  return FALSE;
}
