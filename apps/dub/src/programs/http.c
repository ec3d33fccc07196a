/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <dubbing_common/error.h>
#include <libsoup/soup.h>

#define TIMEOUT_S 3
#define MAX_BODY (1 << 20)

static SoupMessage *
make_message (const char *url, const char *token, GError **error)
{
  SoupMessage *message = soup_message_new ("GET", url);
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

char *
dub_http_get (
    const char *url, const char *token, guint *ret_status, GError **error)
{
  g_autoptr (SoupSession) session =
      soup_session_new_with_options ("timeout", TIMEOUT_S, NULL);
  g_autoptr (SoupMessage) message = make_message (url, token, error);
  g_autoptr (GInputStream) stream = NULL;
  guint status;

  if (message == NULL)
    return NULL;
  stream = soup_session_send (session, message, NULL, error);
  if (stream == NULL)
    return NULL;
  status = soup_message_get_status (message);
  if (ret_status == NULL && status != SOUP_STATUS_OK) {
    g_set_error (error, DUB_ERROR,
        status == SOUP_STATUS_UNAUTHORIZED ? DUB_ERROR_AUTH
                                           : DUB_ERROR_UNAVAILABLE,
        "%s answered %u", url, status);
    return NULL;
  }
  if (ret_status != NULL)
    *ret_status = status;
  return read_body (stream, error);
}
