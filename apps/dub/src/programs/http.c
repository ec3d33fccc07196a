/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <dubbing_common/error.h>
#include <json-glib/json-glib.h>
#include <libsoup/soup.h>
#include <string.h>

#define TIMEOUT_S 3
#define MAX_BODY (1 << 20)

static SoupMessage *
make_message (
    const char *method, const char *url, const char *token, GError **error)
{
  SoupMessage *message = soup_message_new (method, url);
  g_autofree char *bearer = NULL;

  if (message == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "\"%s\" is no URL", url);
    return NULL;
  }
  if (token != NULL && *token != '\0') {
    bearer = g_strdup_printf ("Bearer %s", token);
    soup_message_headers_replace (
        soup_message_get_request_headers (message), "Authorization", bearer);
  }
  return message;
}

/* A stranger on the port must not fill our memory. */
static char *
read_body (GInputStream *stream, GError **error)
{
  g_autofree char *body = g_malloc (MAX_BODY + 1);
  gsize length = 0;

  if (!g_input_stream_read_all (stream, body, MAX_BODY, &length, NULL, error))
    return NULL;
  body[length] = '\0';
  return g_realloc (g_steal_pointer (&body), length + 1);
}

static void
set_refusal (guint status, const char *url, GError **error)
{
  g_set_error (error, DUB_ERROR,
      status == SOUP_STATUS_UNAUTHORIZED ? DUB_ERROR_AUTH
                                         : DUB_ERROR_UNAVAILABLE,
      "%s answered %u", url, status);
}

char *
dub_http_call (const DubHttpRequest *request, guint *ret_status, GError **error)
{
  g_autoptr (SoupSession) session =
      soup_session_new_with_options ("timeout", TIMEOUT_S, NULL);
  g_autoptr (SoupMessage) message =
      make_message (request->method, request->url, request->token, error);
  g_autoptr (GInputStream) stream = NULL;

  if (message == NULL)
    return NULL;
  if (request->body != NULL) {
    g_autoptr (GBytes) bytes =
        g_bytes_new (request->body, strlen (request->body));

    soup_message_set_request_body_from_bytes (
        message, "application/json", bytes);
  }
  stream = soup_session_send (session, message, NULL, error);
  if (stream == NULL)
    return NULL;
  *ret_status = soup_message_get_status (message);
  return read_body (stream, error);
}

GInputStream *
dub_http_open (const char *url, const char *token, GError **error)
{
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (SoupMessage) message = make_message ("GET", url, token, error);
  g_autoptr (GInputStream) stream = NULL;

  if (message == NULL)
    return NULL;
  stream = soup_session_send (session, message, NULL, error);
  if (stream == NULL)
    return NULL;
  if (soup_message_get_status (message) == SOUP_STATUS_OK)
    return g_steal_pointer (&stream);
  set_refusal (soup_message_get_status (message), url, error);
  return NULL;
}

char *
dub_http_get (
    const char *url, const char *token, guint *ret_status, GError **error)
{
  g_autoptr (SoupSession) session =
      soup_session_new_with_options ("timeout", TIMEOUT_S, NULL);
  g_autoptr (SoupMessage) message = make_message ("GET", url, token, error);
  g_autoptr (GInputStream) stream = NULL;
  guint status;

  if (message == NULL)
    return NULL;
  stream = soup_session_send (session, message, NULL, error);
  if (stream == NULL)
    return NULL;
  status = soup_message_get_status (message);
  if (ret_status == NULL && status != SOUP_STATUS_OK) {
    set_refusal (status, url, error);
    return NULL;
  }
  if (ret_status != NULL)
    *ret_status = status;
  return read_body (stream, error);
}

/* A member of the object that body is. (transfer full) (nullable) */
static char *
text_of (const char *body, const char *member)
{
  g_autoptr (JsonNode) root =
      g_utf8_validate (body, -1, NULL) ? json_from_string (body, NULL) : NULL;
  JsonNode *node =
      root != NULL && JSON_NODE_HOLDS_OBJECT (root)
          ? json_object_get_member (json_node_get_object (root), member)
          : NULL;

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? g_strdup (json_node_get_string (node))
             : NULL;
}

gboolean
dub_http_names_service (const char *body, const char *name)
{
  g_autofree char *service = text_of (body, "service");

  return service != NULL && strstr (service, name) != NULL;
}

char *
dub_http_reason (const char *body)
{
  return text_of (body, "reason");
}

gboolean
dub_http_is_service (
    const char *url, const char *path, const char *name, GError **error)
{
  g_autofree char *asked = g_strconcat (url, path, NULL);
  g_autofree char *body = dub_http_get (asked, NULL, NULL, error);

  if (body == NULL)
    return FALSE;
  if (dub_http_names_service (body, name))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_PROTOCOL,
      "%s: another program answers there", url);
  return FALSE;
}
