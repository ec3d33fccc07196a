/* SPDX-License-Identifier: Apache-2.0 */
#include "media_url.h"

#include <string.h>

/* User and password as a URL has them, or "". (transfer full) */
static char *
credentials (const DubServiceSettings *s, const char *before,
    const char *between, const char *after)
{
  g_autofree char *user = NULL;
  g_autofree char *password = NULL;

  if (s->mediamtx_user == NULL)
    return g_strdup ("");
  user = g_uri_escape_string (s->mediamtx_user, NULL, FALSE);
  password = g_uri_escape_string (s->mediamtx_password, NULL, FALSE);
  return g_strconcat (before, user, between, password, after, NULL);
}

char *
dub_media_url (const DubServiceSettings *s, const char *id, const char *way,
    DubIngestWay protocol)
{
  gboolean is_rtsp = protocol == DUB_INGEST_BY_RTSP;
  gboolean is_v6 = strchr (s->mediamtx_host, ':') != NULL;
  g_autofree char *user =
      is_rtsp ? credentials (s, "", ":", "@") : g_strdup ("");
  g_autofree char *query =
      is_rtsp ? g_strdup ("") : credentials (s, "?user=", "&pass=", "");

  return g_strdup_printf ("%s://%s%s%s%s:%" G_GINT64_FORMAT "/live/%s/%s%s",
      is_rtsp ? "rtsp" : "rtmp", user, is_v6 ? "[" : "", s->mediamtx_host,
      is_v6 ? "]" : "", is_rtsp ? s->mediamtx_rtsp_port : s->mediamtx_rtmp_port,
      id, way, query);
}

char *
dub_media_api_authorization (const DubServiceSettings *s)
{
  g_autofree char *pair = NULL;
  g_autofree char *coded = NULL;

  if (s->mediamtx_user == NULL)
    return NULL;
  pair = g_strconcat (s->mediamtx_user, ":", s->mediamtx_password, NULL);
  coded = g_base64_encode ((const guchar *) pair, strlen (pair));
  return g_strconcat ("Basic ", coded, NULL);
}
