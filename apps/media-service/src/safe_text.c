/* SPDX-License-Identifier: Apache-2.0 */
#include <media_service/safe_text.h>

#include <dubbing_common/log.h>
#include <dubbing_common/tls.h>
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

/* Each element of the path that is not shown; a language may follow the key. */
static void
hide_elements (GString *safe, const char *url, const char *shown)
{
  g_auto (GStrv) elements = g_strsplit (url, "/", -1);

  for (guint i = 1; elements[0] && elements[i]; i++)
    if (strlen (elements[i]) >= SHORTEST_KEY && !strstr (shown, elements[i]))
      g_string_replace (safe, elements[i], "***", 0);
}

/* Each value of the query, as it stands there and unescaped. */
static void
hide_query (GString *safe, const char *url)
{
  const char *query = strchr (url, '?');
  g_auto (GStrv) pairs = query ? g_strsplit (query + 1, "&", -1) : NULL;

  for (guint i = 0; pairs && pairs[i]; i++) {
    const char *equals = strchr (pairs[i], '=');
    const char *value = equals ? equals + 1 : pairs[i];
    g_autofree char *plain = g_uri_unescape_string (value, NULL);

    if (strlen (value) >= SHORTEST_KEY)
      g_string_replace (safe, value, "***", 0);
    if (plain && strlen (plain) >= SHORTEST_KEY)
      g_string_replace (safe, plain, "***", 0);
  }
}

/* Libraries do not say what is wrong with a certificate. */
static void
add_refusal (GString *safe, const char *url)
{
  g_autofree char *scheme = g_uri_parse_scheme (url);
  g_autofree char *refusal = NULL;

  if (scheme && g_str_has_suffix (scheme, "s"))
    refusal = dub_tls_refusal_of_url (url);
  if (refusal)
    g_string_append_printf (safe, " (%s)", refusal);
}

char *
dub_hide_key (const char *text, const char *url)
{
  g_autofree char *shown = dub_redact_url (url);
  g_autofree char *password = password_of (url);
  GString *safe = g_string_new (text);

  g_string_replace (safe, url, shown, 0);
  hide_elements (safe, url, shown);
  if (password && strlen (password) >= SHORTEST_KEY)
    g_string_replace (safe, password, "***", 0);
  hide_query (safe, url);
  return g_string_free (safe, FALSE);
}

char *
dub_safe_text (const char *text, const char *url)
{
  g_autofree char *hidden = dub_hide_key (text, url);
  GString *safe = g_string_new (hidden);

  add_refusal (safe, url);
  return g_string_free (safe, FALSE);
}
