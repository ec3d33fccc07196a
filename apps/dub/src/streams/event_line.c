/* SPDX-License-Identifier: Apache-2.0 */
#include "streams.h"

#include <json-glib/json-glib.h>
#include <string.h>

void
dub_event_text_clear (DubEventText *self)
{
  g_clear_pointer (&self->event, g_free);
  g_clear_pointer (&self->data, g_free);
}

static const char *
value_of (const char *line, const char *field)
{
  gsize length = strlen (field);

  if (strncmp (line, field, length) != 0 || line[length] != ':')
    return NULL;
  return line + length + (line[length + 1] == ' ' ? 2 : 1);
}

gboolean
dub_event_text_take (DubEventText *self, const char *line)
{
  const char *event = value_of (line, "event");
  const char *data = value_of (line, "data");

  if (*line == '\0') {
    if (self->event != NULL && self->data != NULL)
      return TRUE;
    dub_event_text_clear (self);
    return FALSE;
  }
  if (self->event != NULL && self->data != NULL)
    dub_event_text_clear (self);
  if (event != NULL) {
    g_free (self->event);
    self->event = g_strdup (event);
  } else if (data != NULL) {
    g_free (self->data);
    self->data = g_strdup (data);
  }
  return FALSE;
}

static const char *
text_of (JsonObject *object, const char *name, const char *otherwise)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : otherwise;
}

/* Speech is outside text: it must not move the cursor of a terminal. */
static char *
make_plain (char *line)
{
  for (char *at = line; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      *at = ' ';
  return line;
}

/* What was said, else what was heard, else why neither. */
static char *
segment_line (const char *id, JsonObject *object)
{
  const char *phase = text_of (object, "phase", "");
  const char *said = text_of (object, "translated_text", NULL);
  const char *heard = text_of (object, "transcript", "");
  const char *reason = text_of (object, "reason", "");

  return make_plain (g_strdup_printf ("%-24s %-8s %s", id, phase,
      g_str_equal (phase, "kept")                   ? reason
      : g_str_equal (phase, "said") && said != NULL ? said
                                                    : heard));
}

char *
dub_event_line (const char *event, const char *data)
{
  g_autoptr (JsonNode) root = json_from_string (data, NULL);
  JsonObject *object;
  const char *id;

  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return NULL;
  object = json_node_get_object (root);
  id = text_of (object, "stream_id", "-");
  if (g_str_equal (event, "segment"))
    return segment_line (id, object);
  if (g_str_equal (event, "gone"))
    return make_plain (g_strdup_printf ("%-24s gone", id));
  if (g_str_equal (event, "state"))
    return make_plain (g_strdup_printf ("%-24s %-8s %s", id,
        text_of (object, "state", "-"), text_of (object, "worker_state", "")));
  return NULL;
}
