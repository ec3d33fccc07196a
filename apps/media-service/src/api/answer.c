/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <string.h>

void
dub_answer_text (
    SoupServerMessage *message, guint status, const char *type, char *text)
{
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (
      message, type, SOUP_MEMORY_TAKE, text, strlen (text));
}

static void
answer_object (SoupServerMessage *message, guint status, const char *type,
    JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, object);
  dub_answer_text (message, status, type, json_to_string (node, FALSE));
}

void
dub_answer_json (SoupServerMessage *message, guint status, JsonObject *object)
{
  answer_object (message, status, "application/json", object);
}

JsonObject *
dub_json_object_of (const char *name, const char *value)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, name, value);
  return object;
}

/* (transfer full) */
static JsonObject *
problem_new (guint status, const char *code, const char *detail)
{
  g_autofree char *type = g_strconcat ("urn:dub:problem:", code, NULL);
  JsonObject *object = dub_json_object_of ("type", type);

  json_object_set_string_member (
      object, "title", soup_status_get_phrase (status));
  json_object_set_int_member (object, "status", status);
  json_object_set_string_member (object, "detail", detail);
  json_object_set_string_member (object, "code", code);
  return object;
}

#define PROBLEM_TYPE "application/problem+json"

void
dub_answer_problem (SoupServerMessage *message, guint status, const char *code,
    const char *detail)
{
  answer_object (
      message, status, PROBLEM_TYPE, problem_new (status, code, detail));
}

void
dub_answer_invalid (
    SoupServerMessage *message, const char *pointer, const char *detail)
{
  JsonObject *problem =
      problem_new (SOUP_STATUS_UNPROCESSABLE_ENTITY, "invalid", detail);
  JsonObject *item = dub_json_object_of ("pointer", pointer);
  JsonArray *errors = json_array_new ();

  json_object_set_string_member (item, "detail", detail);
  json_array_add_object_element (errors, item);
  json_object_set_array_member (problem, "errors", errors);
  answer_object (
      message, SOUP_STATUS_UNPROCESSABLE_ENTITY, PROBLEM_TYPE, problem);
}
