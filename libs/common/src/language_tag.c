/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/error.h>
#include <dubbing_common/language_tag.h>
#include <string.h>

#define MAX_PART 8

static gboolean
is_language (const char *part)
{
  gsize length = strlen (part);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalpha (part[i]))
      return FALSE;
  return length == 2 || length == 3;
}

static gboolean
is_part (const char *part)
{
  gsize length = strlen (part);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (part[i]))
      return FALSE;
  return length >= 1 && length <= MAX_PART;
}

gboolean
dub_language_tag_is_valid (const char *text)
{
  g_auto (GStrv) parts = g_strsplit_set (text ? text : "", "-_", -1);

  if (!parts[0] || !is_language (parts[0]))
    return FALSE;
  for (gsize i = 1; parts[i]; i++)
    if (!is_part (parts[i]))
      return FALSE;
  return TRUE;
}

gboolean
dub_language_tag_check (
    const char *setting, const char *text, gboolean may_be_auto, GError **error)
{
  if (!text || dub_language_tag_is_valid (text) ||
      (may_be_auto && g_str_equal (text, "auto")))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "%s: \"%s\" is no language (allowed: a tag such as en, spa or pt-BR%s)",
      setting, text, may_be_auto ? ", or auto" : "");
  return FALSE;
}
