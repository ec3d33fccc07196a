/* SPDX-License-Identifier: Apache-2.0 */
#include <media_service/safe_text.h>

#include <dubbing_common/log.h>
#include <string.h>

/* A shorter word is no key, and would be found in many places. */
#define SHORTEST_KEY 4

char *
dub_safe_text (const char *text, const char *url)
{
  g_autofree char *shown = dub_redact_url (url);
  const char *slash = strrchr (url, '/');
  const char *key = slash ? slash + 1 : "";
  GString *safe = g_string_new (text);

  g_string_replace (safe, url, shown, 0);
  if (strlen (key) >= SHORTEST_KEY && !strstr (shown, key))
    g_string_replace (safe, key, "***", 0);
  return g_string_free (safe, FALSE);
}
