/* SPDX-License-Identifier: Apache-2.0 */
#include <media_service/safe_text.h>

#include <dubbing_common/log.h>
#include <string.h>

/* A shorter word is no key, and would be found in many places. */
#define SHORTEST_KEY 4

/* As a library names it: unescaped. (transfer full) (nullable) */
static char *
password_of (const char *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url,
      G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_NON_DNS |
          G_URI_FLAGS_PARSE_RELAXED,
      NULL);

  return uri ? g_strdup (g_uri_get_password (uri)) : NULL;
}

/* Each value of the query, as it stands there. */
static void
hide_query (GString *safe, const char *url)
{
  const char *query = strchr (url, '?');
  g_auto (GStrv) pairs = NULL;

  if (!query)
    return;
  pairs = g_strsplit_set (query + 1, "&;", -1);
  for (guint i = 0; pairs[i]; i++) {
    const char *equals = strchr (pairs[i], '=');
    const char *value = equals ? equals + 1 : pairs[i];

    if (strlen (value) >= SHORTEST_KEY)
      g_string_replace (safe, value, "***", 0);
  }
}

char *
dub_safe_text (const char *text, const char *url)
{
  g_autofree char *shown = dub_redact_url (url);
  const char *slash = strrchr (url, '/');
  g_autofree char *password = password_of (url);
  const char *key = slash ? slash + 1 : "";
  GString *safe = g_string_new (text);

  g_string_replace (safe, url, shown, 0);
  if (strlen (key) >= SHORTEST_KEY && !strstr (shown, key))
    g_string_replace (safe, key, "***", 0);
  hide_query (safe, url);
  if (password && strlen (password) >= SHORTEST_KEY)
    g_string_replace (safe, password, "***", 0);
  return g_string_free (safe, FALSE);
}
