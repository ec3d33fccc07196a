/* SPDX-License-Identifier: Apache-2.0 */
#include "problem.h"

#include <dubbing_socketio/json.h>

#define PROBLEM_TYPE "application/problem+json"

guint
dub_problem_status_for (const char *code, gboolean is_retryable)
{
  static const struct {
    const char *code;
    guint status;
  } table[] = {
      {DUB_CODE_AUTH_FAILED, SOUP_STATUS_UNAUTHORIZED},
      {DUB_CODE_MALFORMED_DATA, SOUP_STATUS_BAD_REQUEST},
      {DUB_CODE_INVALID_CONFIG, SOUP_STATUS_BAD_REQUEST},
      {DUB_CODE_FRAGMENT_TOO_LARGE, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE},
      {DUB_CODE_TIMEOUT, SOUP_STATUS_GATEWAY_TIMEOUT},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (g_strcmp0 (code, table[i].code) == 0)
      return table[i].status;
  return is_retryable ? SOUP_STATUS_SERVICE_UNAVAILABLE
                      : SOUP_STATUS_UNPROCESSABLE_ENTITY;
}

/* object (transfer full) */
void
dub_answer_json (SoupServerMessage *message, guint status, const char *type,
    JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  GString *text = g_string_new (NULL);
  gsize length = 0;

  json_node_take_object (node, object);
  dub_sio_json_write (node, text);
  length = text->len;
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (
      message, type, SOUP_MEMORY_TAKE, g_string_free (text, FALSE), length);
}

void
dub_answer_problem (SoupServerMessage *message, const DubProblem *problem)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "type", "about:blank");
  json_object_set_string_member (object, "title",
      problem->status == DUB_HTTP_TOO_MANY_REQUESTS
          ? "Too Many Requests"
          : soup_status_get_phrase (problem->status));
  json_object_set_int_member (object, "status", problem->status);
  json_object_set_string_member (object, "detail", problem->detail);
  json_object_set_string_member (object, "code", problem->code);
  if (problem->stage != NULL)
    json_object_set_string_member (object, "stage", problem->stage);
  json_object_set_boolean_member (object, "retryable", problem->is_retryable);
  if (problem->status == SOUP_STATUS_UNAUTHORIZED)
    soup_message_headers_replace (headers, "WWW-Authenticate", "Bearer");
  if (problem->is_retryable) {
    g_autofree char *wait =
        g_strdup_printf ("%u", MAX (1, problem->retry_after_s));
    soup_message_headers_replace (headers, "Retry-After", wait);
  }
  dub_answer_json (message, problem->status, PROBLEM_TYPE, object);
}

void
dub_answer_wire_error (SoupServerMessage *message, const DubWireError *error)
{
  dub_answer_problem (message,
      &(DubProblem){dub_problem_status_for (error->code, error->is_retryable),
          error->code, error->stage, error->message, error->is_retryable});
}
