/* SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

#include <stdio.h>

/*
 * contracts-filter: the types as other languages see them. Each line in is
 * {"event": NAME, "payload": ...}; each line out is {"emits": ...} with what
 * our type makes of it, or {"refused": "why"}.
 */
static JsonNode *
answer (const char *line)
{
  g_autoptr (JsonNode) node = json_from_string (line, NULL);
  g_autoptr (JsonNode) emitted = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = json_object_new ();
  JsonNode *reply = json_node_new (JSON_NODE_OBJECT);
  gboolean is_known = FALSE;

  if (node && JSON_NODE_HOLDS_OBJECT (node)) {
    JsonObject *asked = json_node_get_object (node);

    emitted = dub_codec_round_trip (
        json_object_get_string_member_with_default (asked, "event", ""),
        json_object_get_member (asked, "payload"), &is_known, &error);
  }
  if (emitted)
    json_object_set_member (object, "emits", g_steal_pointer (&emitted));
  else
    json_object_set_string_member (object, "refused",
        error      ? error->message
        : is_known ? "no reason given"
                   : "not an event");
  json_node_take_object (reply, g_steal_pointer (&object));
  return reply;
}

int
main (void)
{
  char *line = NULL;
  size_t size = 0;

  while (getline (&line, &size, stdin) > 0) {
    g_autoptr (JsonNode) reply = answer (line);
    g_autofree char *text = json_to_string (reply, FALSE);

    puts (text);
    fflush (stdout);
  }
  free (line);
  return 0;
}
