/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

typedef struct {
  const char *section; /* interned */
  DubCheckState state;
  char *name, *detail, *remedy;
} Line;

struct _DubReport {
  GPtrArray *lines; /* Line */
  const char *section;
};

static void
line_free (gpointer data)
{
  Line *line = data;

  g_free (line->name);
  g_free (line->detail);
  g_free (line->remedy);
  g_free (line);
}

const char *
dub_check_state_to_string (DubCheckState state)
{
  static const char *const names[] = {"none", "ok", "note", "missing"};

  return (guint) state < G_N_ELEMENTS (names) ? names[state] : "none";
}

DubReport *
dub_report_new (void)
{
  DubReport *self = g_new0 (DubReport, 1);

  self->lines = g_ptr_array_new_with_free_func (line_free);
  self->section = "";
  return self;
}

void
dub_report_free (DubReport *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->lines);
  g_free (self);
}

void
dub_report_section (DubReport *self, const char *name)
{
  self->section = g_intern_string (name);
}

void
dub_report_add (DubReport *self, DubCheckState state, const char *name,
    const char *detail, const char *remedy)
{
  Line *line = g_new0 (Line, 1);

  line->section = self->section;
  line->state = state;
  line->name = g_strdup (name);
  line->detail = g_strdup (detail);
  line->remedy = g_strdup (remedy);
  g_ptr_array_add (self->lines, line);
}

gboolean
dub_report_is_good (const DubReport *self)
{
  for (guint i = 0; i < self->lines->len; i++)
    if (((Line *) self->lines->pdata[i])->state == DUB_CHECK_MISSING)
      return FALSE;
  return TRUE;
}

static void
append_line (GString *text, const Line *line)
{
  gsize begin;

  begin = text->len;
  g_string_append_printf (text, "  %-8s %-24s %s",
      dub_check_state_to_string (line->state), line->name,
      line->detail != NULL ? line->detail : "");
  while (text->len > begin && text->str[text->len - 1] == ' ')
    g_string_truncate (text, text->len - 1);
  g_string_append_c (text, '\n');
  if (line->remedy != NULL)
    g_string_append_printf (text, "  %-8s %-24s -> %s\n", "", "", line->remedy);
}

char *
dub_report_to_text (const DubReport *self)
{
  GString *text = g_string_new (NULL);
  const char *section = NULL;

  for (guint i = 0; i < self->lines->len; i++) {
    const Line *line = self->lines->pdata[i];

    if (line->section != section)
      g_string_append_printf (
          text, "%s%s\n", section != NULL ? "\n" : "", line->section);
    section = line->section;
    append_line (text, line);
  }
  return g_string_free (text, FALSE);
}

static void
add_text (JsonBuilder *builder, const char *name, const char *value)
{
  if (value == NULL)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

JsonNode *
dub_report_to_json (const DubReport *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_array (builder);
  for (guint i = 0; i < self->lines->len; i++) {
    const Line *line = self->lines->pdata[i];

    json_builder_begin_object (builder);
    add_text (builder, "section", line->section);
    add_text (builder, "state", dub_check_state_to_string (line->state));
    add_text (builder, "name", line->name);
    add_text (builder, "detail", line->detail);
    add_text (builder, "remedy", line->remedy);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  return json_builder_get_root (builder);
}
