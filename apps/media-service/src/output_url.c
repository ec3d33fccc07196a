/* SPDX-License-Identifier: Apache-2.0 */
#include <media_service/output_url.h>

#include <string.h>

#define STREAM_ID "streamid="

/* Its length in a query; 0: the text does not begin with that character. */
static gsize
length_of (const char *text, char character)
{
  g_autofree char *escaped = g_strdup_printf ("%%%02X", character);

  if (*text == character)
    return 1;
  return g_ascii_strncasecmp (text, escaped, 3) == 0 ? 3 : 0;
}

/* Behind the prefix, or NULL. Its characters may be escaped. */
static const char *
skip (const char *text, const char *prefix)
{
  for (; *prefix; prefix++) {
    gsize length = length_of (text, *prefix);

    if (length == 0)
      return NULL;
    text += length;
  }
  return text;
}

/* Up to that character, or the value's end. */
static const char *
find_end (const char *text, char end)
{
  while (*text && *text != '&' && length_of (text, end) == 0)
    text++;
  return text;
}

/* Of #!::m=publish,r=path,u=user: the value of r; or NULL. */
static const char *
find_resource (const char *text)
{
  const char *found = NULL;

  while (!found) {
    gsize comma;

    found = skip (text, "r=");
    text = find_end (text, ',');
    comma = length_of (text, ',');
    if (comma == 0)
      break;
    text += comma;
  }
  return found;
}

/* Where the path in a stream id ends; NULL: there is none. */
static const char *
end_of_srt_path (const char *url)
{
  const char *query = strchr (url, '?');
  const char *id = NULL, *path, *end;

  while (query && !id) {
    if (g_str_has_prefix (query + 1, STREAM_ID))
      id = query + 1 + strlen (STREAM_ID);
    query = strchr (query + 1, '&');
  }
  if (!id)
    return NULL;
  path = skip (id, "publish:");
  if (path) {
    end = find_end (path, ':');
  } else {
    path = skip (id, "#!::");
    path = path ? find_resource (path) : NULL;
    end = path ? find_end (path, ',') : NULL;
  }
  return end > path ? end : NULL;
}

char *
dub_output_url_of_language (const char *url, const char *language)
{
  const char *end;

  if (!language)
    return g_strdup (url);
  end = g_ascii_strncasecmp (url, "srt:", 4) == 0 ? end_of_srt_path (url)
                                                  : url + strcspn (url, "?");
  if (!end)
    return NULL;
  return g_strdup_printf ("%.*s/%s%s", (int) (end - url), url, language, end);
}
