/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/stream_id.h>

gboolean
dub_stream_id_fits (const char *id, gsize max)
{
  gsize length = 0;

  if (id == NULL)
    return FALSE;
  for (const char *p = id; *p != '\0'; p++, length++)
    if (length >= max || (!g_ascii_isalnum (*p) && *p != '-' && *p != '_'))
      return FALSE;
  return length > 0;
}

gboolean
dub_stream_id_is_valid (const char *id)
{
  return dub_stream_id_fits (id, DUB_STREAM_ID_MAX);
}
