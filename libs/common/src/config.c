/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/config.h"
#include "config_parse.h"
#include "dubbing_common/error.h"

#include <gio/gio.h>
#include <string.h>

/* A key or token; more than this is the wrong file. */
#define MAX_SECRET_FILE_BYTES 16384

/* In the order of DubLogLevel, which begins with none, and DubLogFormat. */
const char *const dub_log_level_names[] = {
    "error", "warning", "info", "debug", "trace", NULL};
const char *const dub_log_format_names[] = {"auto", "json", "text", NULL};

static gboolean
is_set (const char *text)
{
  return text != NULL && *text != '\0';
}

static const DubOption *
find_option (const DubOption *options, const char *name, gsize length)
{
  for (const DubOption *o = options; o->name != NULL; o++)
    if (strlen (o->name) == length && !strncmp (o->name, name, length))
      return o;
  return NULL;
}

static const DubOption *
find_by_any_name (const DubOption *options, const char *name)
{
  for (const DubOption *o = options; o->name != NULL; o++)
    if (g_str_equal (o->name, name) || !g_strcmp0 (o->env, name))
      return o;
  return NULL;
}

/* What the command line says, by option. Values point into argv. */
typedef struct {
  const DubOption *options;
  GHashTable *values; /* DubOption -> char */
  char **argv;
  int argc, next;
} CommandLine;

static gboolean
is_program_word (const char *word)
{
  return g_str_equal (word, "--help") || g_str_equal (word, "-h") ||
         g_str_equal (word, "--version");
}

/* The value after the name: "=value", the next word, or "true". */
static const char *
take_value (CommandLine *self, const DubOption *option, const char *after_name)
{
  if (*after_name == '=')
    return after_name + 1;
  if (option->type == DUB_OPTION_BOOL)
    return "true";
  return self->next < self->argc ? self->argv[self->next++] : NULL;
}

static gboolean
take_option (CommandLine *self, const char *word, GError **error)
{
  const char *name = word + strspn (word, "-");
  gsize length = strcspn (name, "=");
  const DubOption *option = NULL;
  const char *value;

  if (g_str_has_prefix (word, "--"))
    option = find_option (self->options, name, length);
  if (option == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "unknown option %.*s; see --help", (int) (name + length - word), word);
    return FALSE;
  }
  if (option->type == DUB_OPTION_SECRET) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "--%s: everyone on the machine can read the command line; set %s, or "
        "%s_FILE to a file that holds it",
        option->name, option->env, option->env);
    return FALSE;
  }
  value = take_value (self, option, name + length);
  if (value == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "--%s (%s): its value is missing", option->name, option->env);
    return FALSE;
  }
  g_hash_table_insert (self->values, (gpointer) option, (gpointer) value);
  return TRUE;
}

static gboolean
take_arguments (CommandLine *self, int *argc, GError **error)
{
  int kept = 1;
  gboolean only_words = FALSE;

  self->argc = *argc;
  self->next = 1;
  while (self->next < self->argc) {
    char *word = self->argv[self->next++];
    gboolean is_option =
        word[0] == '-' && word[1] != '\0' && !is_program_word (word);

    if (only_words || !is_option)
      self->argv[kept++] = word;
    else if (g_str_equal (word, "--"))
      only_words = TRUE;
    else if (!take_option (self, word, error))
      return FALSE;
  }
  if (kept < self->argc)
    self->argv[kept] = NULL;
  *argc = kept;
  return TRUE;
}

static char *
read_secret_file (const char *where, const char *path, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autofree char *text = NULL;
  gsize length = 0;

  if (!g_file_get_contents (path, &text, &length, &cause)) {
    g_set_error (
        error, DUB_ERROR, DUB_ERROR_INVALID, "%s: %s", where, cause->message);
    return NULL;
  }
  if (length > MAX_SECRET_FILE_BYTES || strlen (text) != length) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "%s: %s holds no secret (allowed: text of at most %d bytes)", where,
        path, MAX_SECRET_FILE_BYTES);
    return NULL;
  }
  text[strcspn (text, "\r\n")] = '\0';
  if (*text == '\0') {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "%s: %s is empty, or its first line is", where, path);
    return NULL;
  }
  return g_steal_pointer (&text);
}

static gboolean
load_secret (const DubOption *option, gpointer settings, char **environment,
    gboolean *ret_found, GError **error)
{
  g_autofree char *where = g_strconcat (option->env, "_FILE", NULL);
  const char *path = g_environ_getenv (environment, where);
  g_autofree char *text = NULL;

  *ret_found = is_set (path);
  if (!*ret_found)
    return TRUE;
  if (is_set (g_environ_getenv (environment, option->env))) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "%s and %s are both set (allowed: one of them)", option->env, where);
    return FALSE;
  }
  text = read_secret_file (where, path, error);
  return text != NULL &&
         dub_option_store (option, settings, where, text, error);
}

static gboolean
load_option (const DubOption *option, gpointer settings,
    const char *from_command, char **environment, GError **error)
{
  g_autofree char *where = NULL;
  const char *text;
  gboolean is_found = FALSE;

  if (is_set (from_command)) {
    where = g_strdup_printf ("--%s (%s)", option->name, option->env);
    return dub_option_store (option, settings, where, from_command, error);
  }
  if (option->type == DUB_OPTION_SECRET) {
    if (!load_secret (option, settings, environment, &is_found, error))
      return FALSE;
    if (is_found)
      return TRUE;
  }
  text = g_environ_getenv (environment, option->env);
  if (!is_set (text))
    text = option->fallback;
  return dub_option_store (option, settings, option->env, text, error);
}

gboolean
dub_config_load (const DubOption *options, gpointer settings, int *argc,
    char ***argv, char **environment, GError **error)
{
  g_autoptr (GHashTable) values = g_hash_table_new (NULL, NULL);
  CommandLine line = {.options = options, .values = values};

  g_return_val_if_fail (options != NULL && settings != NULL, FALSE);
  if (argv != NULL && *argc > 0) {
    line.argv = *argv;
    if (!take_arguments (&line, argc, error))
      return FALSE;
  }
  for (const DubOption *o = options; o->name != NULL; o++) {
    if (!load_option (
            o, settings, g_hash_table_lookup (values, o), environment, error)) {
      dub_config_clear (options, settings);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
dub_config_set (const DubOption *options, gpointer settings, const char *name,
    const char *value, GError **error)
{
  const DubOption *option;
  g_autofree char *shown = NULL;

  g_return_val_if_fail (options != NULL && settings != NULL, FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  option = find_by_any_name (options, name);
  if (option == NULL) {
    shown = g_utf8_make_valid (name, (gssize) strnlen (name, 80));
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "\"%s\" is not the name of a setting", shown);
    return FALSE;
  }
  return dub_option_store (
      option, settings, name, is_set (value) ? value : option->fallback, error);
}

void
dub_config_clear (const DubOption *options, gpointer settings)
{
  g_return_if_fail (options != NULL && settings != NULL);
  for (const DubOption *o = options; o->name != NULL; o++)
    dub_option_clear (o, settings);
}
