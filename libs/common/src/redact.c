/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/log.h"

#include <string.h>

#define MASK "***"

/* "live/<id>/in", "live/<id>/out", "live/<id>/out/<lang>": ours, no secret. */
static gboolean
is_own_path (const char *path)
{
  static gsize once = 0;
  static GRegex *own;

  if (g_once_init_enter (&once)) {
    own = g_regex_new ("^/?live/[A-Za-z0-9_-]+/(in|out|out/[A-Za-z0-9_-]+)$",
        G_REGEX_OPTIMIZE | G_REGEX_RAW | G_REGEX_DOLLAR_ENDONLY, 0, NULL);
    g_once_init_leave (&once, 1);
  }
  return g_regex_match (own, path, 0, NULL);
}

static gboolean
has_odd_port (const char *authority, gsize length)
{
  const char *colon = memrchr (authority, ':', length);
  const char *end = authority + length;

  if (colon == NULL || authority[0] == '[')
    return FALSE;
  for (const char *p = colon + 1; p < end; p++)
    if (!g_ascii_isdigit (*p))
      return TRUE;
  return FALSE;
}

/* Where the host starts. A password may hold a '/' or '#' that should have
 * been escaped: then the "port" is no number and the last '@' ends it. */
static const char *
skip_user (const char *authority)
{
  gsize length = strcspn (authority, "/?#");
  const char *at = memrchr (authority, '@', length);

  if (at == NULL && has_odd_port (authority, length))
    at = strrchr (authority, '@');
  return at != NULL ? at + 1 : authority;
}

/* Where the key begins in "/app/key" and in "/app/key/es", to which a stream in
 * several languages goes; NULL: there is none. */
static const char *
find_key (const char *path)
{
  const char *last = strrchr (path, '/');
  const char *before = last ? memrchr (path, '/', (gsize) (last - path)) : NULL;
  gsize letters = 0;

  if (!last || last[1] == '\0')
    return NULL;
  while (g_ascii_isalpha (last[1 + letters]))
    letters++;
  if (before && memrchr (path, '/', (gsize) (before - path)) && letters >= 2 &&
      letters <= 3 && (last[1 + letters] == '\0' || last[1 + letters] == '-'))
    return before + 1;
  return last + 1;
}

static void
append_path (GString *out, const char *scheme, const char *path)
{
  const char *key = find_key (path);
  gboolean may_hold_key = !g_ascii_strncasecmp (scheme, "rtmp", 4) ||
                          !g_ascii_strncasecmp (scheme, "rtsp", 4);

  if (may_hold_key && !is_own_path (path) && key != NULL) {
    g_string_append_len (out, path, key - path);
    g_string_append (out, MASK);
    return;
  }
  g_string_append (out, path);
}

/* "a=1&b" becomes "a=***&***": a word without a value may itself be the key. */
static void
append_query (GString *out, const char *query)
{
  const char *p = query;

  for (;;) {
    gsize length = strcspn (p, "&;");
    const char *equals = memchr (p, '=', length);

    if (equals != NULL)
      g_string_append_len (out, p, equals + 1 - p);
    if (length > 0)
      g_string_append (out, MASK);
    if (p[length] == '\0')
      return;
    g_string_append_c (out, p[length]);
    p += length + 1;
  }
}

char *
dub_redact_url (const char *url)
{
  g_autofree char *path = NULL;
  g_autofree char *query = NULL;
  const char *authority, *host, *rest;
  GString *out;

  if (url == NULL)
    return g_strdup ("(none)");
  authority = strstr (url, "://");
  if (authority == NULL)
    return g_strdup (url);
  authority += 3;
  out = g_string_new_len (url, authority - url);
  host = skip_user (authority);
  if (host != authority)
    g_string_append (out, MASK "@");
  rest = host + strcspn (host, "/?#");
  g_string_append_len (out, host, rest - host);
  path = g_strndup (rest, strcspn (rest, "?#"));
  append_path (out, url, path);
  rest += strlen (path);
  if (*rest == '?') {
    query = g_strndup (rest + 1, strcspn (rest, "#") - 1);
    g_string_append_c (out, '?');
    append_query (out, query);
    rest += 1 + strlen (query);
  }
  if (*rest == '#')
    g_string_append (out, "#" MASK);
  return g_string_free (out, FALSE);
}
