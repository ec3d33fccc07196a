/* SPDX-License-Identifier: Apache-2.0 */
#include "stream_options.h"

#include <string.h>

#define MAX_WORD 32
#define MAX_QUERY 2048

static gboolean
is_word (const char *text)
{
  gsize length = strlen (text);

  if (length < 2 || length > MAX_WORD)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && strchr ("-_.", text[i]) == NULL)
      return FALSE;
  return TRUE;
}

static void
take_pair (DubStreamOptions *self, const char *name, const char *value)
{
  char **field = NULL;

  if (g_str_equal (name, "from"))
    field = &self->source_language;
  else if (g_str_equal (name, "to"))
    field = &self->target_language;
  else if (g_str_equal (name, "voice"))
    field = &self->voice_profile;
  if (field == NULL || !is_word (value))
    return;
  g_free (*field);
  *field = g_strdup (value);
}

DubStreamOptions *
dub_stream_options_parse (const char *query)
{
  DubStreamOptions *self = g_new0 (DubStreamOptions, 1);
  g_auto (GStrv) pairs = NULL;

  if (query == NULL || strlen (query) > MAX_QUERY)
    return self;
  pairs = g_strsplit (query + (*query == '?'), "&", -1);
  for (gsize i = 0; pairs[i] != NULL; i++) {
    char *equals = strchr (pairs[i], '=');
    g_autofree char *value = NULL;

    if (equals == NULL)
      continue;
    *equals = '\0';
    value = g_uri_unescape_string (equals + 1, NULL);
    if (value != NULL)
      take_pair (self, pairs[i], value);
  }
  return self;
}

gboolean
dub_stream_options_equal (const DubStreamOptions *a, const DubStreamOptions *b)
{
  return g_strcmp0 (a->source_language, b->source_language) == 0 &&
         g_strcmp0 (a->target_language, b->target_language) == 0 &&
         g_strcmp0 (a->voice_profile, b->voice_profile) == 0;
}

void
dub_stream_options_free (DubStreamOptions *options)
{
  if (options == NULL)
    return;
  g_free (options->source_language);
  g_free (options->target_language);
  g_free (options->voice_profile);
  g_free (options);
}

gboolean
dub_stream_id_is_valid (const char *stream_id)
{
  gsize length = strlen (stream_id);

  if (length == 0 || length > DUB_STREAM_ID_MAX)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (stream_id[i]) && strchr ("-_", stream_id[i]) == NULL)
      return FALSE;
  return TRUE;
}
