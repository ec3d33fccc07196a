/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include <dubbing_common/secret.h>
#include <string.h>

/* Without brackets and port. (transfer full) */
static char *
host_of (const char *authority)
{
  const char *end;

  if (authority[0] == '[') {
    end = strchr (authority, ']');
    return g_strndup (authority + 1,
        end != NULL ? (gsize) (end - authority - 1) : strlen (authority) - 1);
  }
  return g_strndup (authority, strcspn (authority, ":"));
}

/* A name of this machine that no DNS server has a say in. */
static gboolean
is_own_name (const char *authority)
{
  g_autofree char *host = host_of (authority);

  return g_hostname_is_ip_address (host) ||
         g_ascii_strcasecmp (host, "localhost") == 0;
}

/* A page that we have served names the host that it was asked for. */
static gboolean
is_foreign (const char *origin, const char *host)
{
  const char *authority = strstr (origin, "://");

  return authority == NULL || host == NULL ||
         g_ascii_strcasecmp (authority + 3, host) != 0;
}

/* NULL-terminated; what is not set is left out. */
static void
keys_for (const DubServiceSettings *s, DubAccess access, const char *keys[3])
{
  guint n = 0;

  if (access == DUB_ACCESS_METRICS && s->metrics_token != NULL)
    keys[n++] = s->metrics_token;
  if (access == DUB_ACCESS_HOOK && s->hook_token != NULL)
    keys[n++] = s->hook_token;
  if (access != DUB_ACCESS_OPEN && s->api_token != NULL)
    keys[n++] = s->api_token;
  keys[n] = NULL;
}

guint
dub_guard_judge (const DubServiceSettings *settings, DubAccess access,
    const char *const headers[3], const char **ret_why)
{
  const char *host = headers[0], *origin = headers[1];
  const char *keys[3];
  gboolean is_good;

  if (origin != NULL && is_foreign (origin, host)) {
    *ret_why = "a page of another site may not ask";
    return SOUP_STATUS_FORBIDDEN;
  }
  if (settings->api_token == NULL && host != NULL && !is_own_name (host)) {
    *ret_why = "without API_TOKEN only an IP address or localhost is answered "
               "as Host";
    return SOUP_STATUS_FORBIDDEN;
  }
  keys_for (settings, access, keys);
  is_good = keys[0] == NULL;
  for (guint i = 0; keys[i] != NULL; i++)
    is_good |= dub_secret_is_bearer (headers[2], keys[i]);
  if (is_good)
    return 0;
  *ret_why = "a valid bearer token is needed";
  return SOUP_STATUS_UNAUTHORIZED;
}

guint
dub_guard_check (const DubServiceSettings *settings, SoupServerMessage *message,
    DubAccess access, const char **ret_why)
{
  SoupMessageHeaders *asked = soup_server_message_get_request_headers (message);
  const char *const headers[] = {
      soup_message_headers_get_one (asked, "Host"),
      soup_message_headers_get_one (asked, "Origin"),
      soup_message_headers_get_one (asked, "Authorization"),
  };
  guint status = dub_guard_judge (settings, access, headers, ret_why);

  if (status == SOUP_STATUS_UNAUTHORIZED)
    soup_message_headers_replace (
        soup_server_message_get_response_headers (message), "WWW-Authenticate",
        "Bearer");
  return status;
}
