/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include "page_resources.h"

#include <string.h>

#define HLS_PORT 8888
#define WEBRTC_PORT 8889

typedef struct {
  const char *ending, *type;
} FileType;

static const FileType file_types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
};

gboolean
dub_page_is_wanted (const char *accept)
{
  GSList *types =
      accept != NULL ? soup_header_parse_quality_list (accept, NULL) : NULL;
  gboolean is_wanted = FALSE;

  for (GSList *l = types; l != NULL; l = l->next) {
    is_wanted = g_ascii_strcasecmp (l->data, "text/html") == 0;
    if (is_wanted || g_ascii_strcasecmp (l->data, "application/json") == 0)
      break;
  }
  soup_header_free_list (types);
  return is_wanted;
}

/* --- where pictures come from --- */

static gboolean
is_loopback (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  return g_ascii_strcasecmp (host, "localhost") == 0 ||
         (address != NULL && g_inet_address_get_is_loopback (address));
}

/* A name that may stand in a header and in a URL. */
static gboolean
is_plain_host (const char *host)
{
  return *host != '\0' && strlen (host) <= 253 &&
         strspn (host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                       "0123456789.-:") == strlen (host);
}

char *
dub_page_get_media_url (const DubServiceSettings *settings,
    const char *asked_host, const char *scheme, guint port)
{
  const char *host = settings->mediamtx_host;
  gboolean needs_brackets;

  if (asked_host != NULL && is_loopback (host) && is_plain_host (asked_host))
    host = asked_host;
  needs_brackets = strchr (host, ':') != NULL;
  return g_strdup_printf ("%s://%s%s%s:%u", scheme, needs_brackets ? "[" : "",
      host, needs_brackets ? "]" : "", port);
}

static char *
media_url (const char *set, const DubServiceSettings *settings,
    const char *asked_host, guint port)
{
  gsize length = set != NULL ? strlen (set) : 0;

  if (set == NULL)
    return dub_page_get_media_url (settings, asked_host, "http", port);
  while (length > 0 && set[length - 1] == '/')
    length--;
  return g_strndup (set, length);
}

char *
dub_page_get_hls_url (
    const DubServiceSettings *settings, const char *asked_host)
{
  return media_url (settings->mediamtx_hls_url, settings, asked_host, HLS_PORT);
}

char *
dub_page_get_webrtc_url (
    const DubServiceSettings *settings, const char *asked_host)
{
  return media_url (
      settings->mediamtx_webrtc_url, settings, asked_host, WEBRTC_PORT);
}

/* Scheme, host and port, as a policy names a place. */
static char *
origin_of (const char *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if (host == NULL || !is_plain_host (host))
    return g_strdup ("");
  return g_uri_join (G_URI_FLAGS_NONE, g_uri_get_scheme (uri), NULL, host,
      g_uri_get_port (uri), "", NULL, NULL);
}

char *
dub_page_get_policy (const char *hls_url, const char *webrtc_url)
{
  g_autofree char *hls = origin_of (hls_url);
  g_autofree char *webrtc = origin_of (webrtc_url);

  return g_strdup_printf (
      "default-src 'none'; script-src 'self'; style-src 'self'; "
      "img-src 'self'; connect-src 'self' %s %s; media-src 'self' blob: %s; "
      "frame-src %s; base-uri 'none'; form-action 'none'; "
      "frame-ancestors 'none'; require-trusted-types-for 'script'",
      webrtc, hls, hls, *hls != '\0' ? hls : "'none'");
}

/* --- the files --- */

static const char *
type_of (const char *path)
{
  for (gsize i = 0; i < G_N_ELEMENTS (file_types); i++)
    if (g_str_has_suffix (path, file_types[i].ending))
      return file_types[i].type;
  return "application/octet-stream";
}

static void
set_headers (const DubServiceSettings *settings, SoupServerMessage *message,
    const char *tag)
{
  SoupMessageHeaders *headers =
      soup_server_message_get_response_headers (message);
  const char *host = g_uri_get_host (soup_server_message_get_uri (message));
  g_autofree char *hls = dub_page_get_hls_url (settings, host);
  g_autofree char *webrtc = dub_page_get_webrtc_url (settings, host);
  g_autofree char *policy = dub_page_get_policy (hls, webrtc);
  const char *const pairs[][2] = {
      {"Content-Security-Policy", policy},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"},
      /* Kept by the browser, and asked for each time: after an update a page
       * is made of files of one version. */
      {"Cache-Control", "no-cache"},
      {"ETag", tag},
      {"Vary", "Accept"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    soup_message_headers_replace (headers, pairs[i][0], pairs[i][1]);
}

static char *
tag_of (GBytes *file)
{
  g_autofree char *sum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, file);

  return g_strdup_printf ("\"%.32s\"", sum);
}

gboolean
dub_page_answer (const DubServiceSettings *settings, SoupServerMessage *message,
    const char *path)
{
  const char *name = g_str_equal (path, "/") ? "/page/index.html" : path;
  g_autoptr (GBytes) file = g_resource_lookup_data (
      dub_page_get_resource (), name, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  g_autofree char *tag = NULL;
  const char *known;
  const char *data;
  gsize length;

  if (file == NULL)
    return FALSE;
  tag = tag_of (file);
  set_headers (settings, message, tag);
  known = soup_message_headers_get_one (
      soup_server_message_get_request_headers (message), "If-None-Match");
  if (g_strcmp0 (known, tag) == 0) {
    soup_server_message_set_status (message, SOUP_STATUS_NOT_MODIFIED, NULL);
    return TRUE;
  }
  data = g_bytes_get_data (file, &length);
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (
      message, type_of (name), SOUP_MEMORY_STATIC, data, length);
  return TRUE;
}
