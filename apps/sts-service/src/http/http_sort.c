/* SPDX-License-Identifier: Apache-2.0 */
#include "http_sort.h"

#include "http_json.h"

#include <libsoup/soup.h>
#include <string.h>

#define MAX_SHOWN 120

static DubErrorCode
sort_client_error (guint status)
{
  switch (status) {
    case 401:
    case 402:
    case 403:
    case 407:
    case 456: /* DeepL: the month's characters are used up */
      return DUB_ERROR_AUTH;
    case 404:
    case 410:
      return DUB_ERROR_NOT_FOUND;
    case 408:
      return DUB_ERROR_TIMEOUT;
    case 413:
    case 414:
    case 431:
      return DUB_ERROR_LIMIT;
    case 415:
      return DUB_ERROR_UNSUPPORTED;
    case 425:
    case 429:
      return DUB_ERROR_OVERLOADED;
    default:
      return DUB_ERROR_INVALID;
  }
}

static DubErrorCode
sort_server_error (guint status)
{
  switch (status) {
    case 500:
      return DUB_ERROR_ENGINE;
    case 501:
      return DUB_ERROR_UNSUPPORTED;
    case 504:
      return DUB_ERROR_TIMEOUT;
    case 529: /* several services: too many requests of everybody */
      return DUB_ERROR_OVERLOADED;
    default:
      return DUB_ERROR_UNAVAILABLE;
  }
}

DubErrorCode
dub_http_sort_status (guint status)
{
  if (status >= 200 && status < 300)
    return DUB_ERROR_NONE;
  if (status >= 400 && status < 500)
    return sort_client_error (status);
  if (status >= 500 && status < 600)
    return sort_server_error (status);
  return DUB_ERROR_PROTOCOL;
}

DubErrorCode
dub_http_sort_error (const GError *error)
{
  if (error->domain == SOUP_SESSION_ERROR)
    return DUB_ERROR_PROTOCOL;
  if (error->domain == G_TLS_ERROR)
    return error->code == G_TLS_ERROR_EOF ? DUB_ERROR_DISCONNECTED
                                          : DUB_ERROR_PROTOCOL;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return DUB_ERROR_TIMEOUT;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
    return DUB_ERROR_DISCONNECTED;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    return DUB_ERROR_PROTOCOL;
  if (dub_error_is_retryable (error))
    return DUB_ERROR_UNAVAILABLE;
  /* Half an answer, and what the socket has no better word for. */
  return DUB_ERROR_DISCONNECTED;
}

gint64
dub_http_retry_after_ms (const char *value, gint64 now_s)
{
  guint64 seconds;
  g_autoptr (GDateTime) date = NULL;

  if (value == NULL)
    return -1;
  if (g_ascii_string_to_unsigned (value, 10, 0, G_MAXINT32, &seconds, NULL))
    return (gint64) seconds * 1000;
  date = soup_date_time_new_from_http_string (value);
  if (date == NULL)
    return -1;
  return MAX (0, g_date_time_to_unix (date) - now_s) * 1000;
}

/* One line, without what must not be seen. */
static char *
make_presentable (const char *text, const char *const *hidden)
{
  g_autoptr (GString) clean = g_string_new (text);

  for (guint i = 0; hidden[i] != NULL; i++)
    if (*hidden[i] != '\0')
      g_string_replace (clean, hidden[i], "***", 0);
  for (char *c = clean->str; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  if (clean->len > MAX_SHOWN) {
    const char *end =
        g_utf8_find_prev_char (clean->str, clean->str + MAX_SHOWN + 1);
    g_string_truncate (clean, (gsize) (end - clean->str));
  }
  return g_strstrip (g_strdup (clean->str));
}

char *
dub_http_error_text (JsonNode *body, const char *const *hidden)
{
  static const char *const paths[] = {
      "error.message", "error", "message", "detail.message", "detail"};

  for (guint i = 0; body != NULL && i < G_N_ELEMENTS (paths); i++) {
    const char *text = dub_http_json_get_string (body, paths[i]);

    if (text != NULL && *text != '\0')
      return make_presentable (text, hidden);
  }
  return NULL;
}
