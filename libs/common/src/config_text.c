/* SPDX-License-Identifier: Apache-2.0 */
#include "config_parse.h"
#include "dubbing_common/config.h"

#include <string.h>

#define COLUMNS 78

/* Breaks text between words; each line starts with lead. */
static void
append_wrapped (GString *out, const char *lead, const char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  gsize column = 0;

  for (gsize i = 0; words[i] != NULL; i++) {
    gsize length = strlen (words[i]);

    if (column == 0 || column + 1 + length > COLUMNS) {
      if (column > 0)
        g_string_append_c (out, '\n');
      g_string_append (out, lead);
      column = strlen (lead);
    } else {
      g_string_append_c (out, ' ');
      column++;
    }
    g_string_append (out, words[i]);
    column += length;
  }
  g_string_append_c (out, '\n');
}

static const char *
placeholder (const DubOption *option)
{
  switch (option->type) {
    case DUB_OPTION_INT:
    case DUB_OPTION_DOUBLE:
      return "=N";
    case DUB_OPTION_BOOL:
      return "[=yes|no]";
    case DUB_OPTION_URL:
      return "=URL";
    case DUB_OPTION_DURATION:
      return "=TIME";
    case DUB_OPTION_CHOICE:
      return "=NAME";
    default:
      return "=TEXT";
  }
}

/* "How much later ... (3000 to 30000 ms; default 8000)" */
static char *
describe (const DubOption *option, gboolean with_default)
{
  g_autofree char *range = dub_option_range (option);
  gboolean shows_default = with_default && option->fallback != NULL;
  GString *out = g_string_new (option->help);

  if (range == NULL && !shows_default)
    return g_string_free (out, FALSE);
  g_string_append (out, " (");
  if (range != NULL)
    g_string_append (out, range);
  if (shows_default)
    g_string_append_printf (
        out, "%sdefault %s", range != NULL ? "; " : "", option->fallback);
  g_string_append_c (out, ')');
  return g_string_free (out, FALSE);
}

char *
dub_config_help (
    const DubOption *options, const char *program, const char *what_it_is)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "Usage: %s [OPTION]...\n", program);
  append_wrapped (out, "", what_it_is);
  g_string_append (out,
      "\nEach option may also be given as the environment variable beside it.\n"
      "The command line wins; an empty value counts as none.\n\n");
  for (const DubOption *o = options; o->name != NULL; o++) {
    g_autofree char *text = describe (o, TRUE);

    g_string_append_printf (
        out, "  --%s%s  %s", o->name, placeholder (o), o->env);
    if (o->type == DUB_OPTION_SECRET)
      g_string_append_printf (out, " or %s_FILE", o->env);
    g_string_append_c (out, '\n');
    append_wrapped (out, "      ", text);
  }
  g_string_append (out, "  --help\n      This text\n");
  return g_string_free (out, FALSE);
}

char *
dub_config_summary (const DubOption *options, gconstpointer settings)
{
  GString *out = g_string_new (NULL);

  for (const DubOption *o = options; o->name != NULL; o++) {
    g_autofree char *value = dub_option_show (o, settings);

    g_string_append_printf (out, "%s=%s\n", o->env, value);
  }
  return g_string_free (out, FALSE);
}

char *
dub_config_env_example (const DubOption *options, const char *program)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (out,
      "# Settings of %s with their defaults, as `%s --print-env`\n"
      "# prints them; an empty value means the default. Copy to .env, change "
      "what\n"
      "# you need, and start the program with it:\n"
      "#   set -a; . ./.env; set +a; %s\n"
      "# or name it as EnvironmentFile= of a systemd unit.\n",
      program, program, program);
  for (const DubOption *o = options; o->name != NULL; o++) {
    g_autofree char *text = describe (o, FALSE);

    g_string_append_c (out, '\n');
    append_wrapped (out, "# ", text);
    if (o->type == DUB_OPTION_SECRET)
      g_string_append_printf (
          out, "# %s_FILE names a file that holds it.\n", o->env);
    g_string_append_printf (
        out, "%s=%s\n", o->env, o->fallback != NULL ? o->fallback : "");
  }
  return g_string_free (out, FALSE);
}
