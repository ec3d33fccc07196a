/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "api_resources.h"
#include "routes.h"

#include <gio/gio.h>

/* All of it from here: not even a browser's extension of ours is asked. */
#define POLICY                                                                 \
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src "      \
  "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

typedef struct {
  const char *path, *resource, *type;
} File;

static const File files[] = {
    {"/openapi.json", "/api/openapi.json", "application/json"},
    {"/docs", "/api/docs/index.html", "text/html; charset=utf-8"},
    {"/docs/docs.css", "/api/docs/docs.css", "text/css; charset=utf-8"},
    {"/docs/docs.js", "/api/docs/docs.js", "text/javascript; charset=utf-8"},
};

static void
set_header (SoupServerMessage *message, const char *name, const char *value)
{
  soup_message_headers_replace (
      soup_server_message_get_response_headers (message), name, value);
}

static void
answer_file (SoupServerMessage *message, const File *file)
{
  g_autoptr (GBytes) bytes = g_resource_lookup_data (dub_api_get_resource (),
      file->resource, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  gsize length;
  const char *data;

  g_return_if_fail (bytes != NULL);
  data = g_bytes_get_data (bytes, &length);
  set_header (message, "Content-Security-Policy", POLICY);
  set_header (message, "X-Content-Type-Options", "nosniff");
  set_header (message, "Cache-Control", "no-cache");
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (
      message, file->type, SOUP_MEMORY_COPY, data, length);
}

void
dub_route_doc (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  const char *path = g_uri_get_path (soup_server_message_get_uri (message));

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    if (g_str_equal (files[i].path, path)) {
      answer_file (message, &files[i]);
      return;
    }
  dub_answer_problem (
      message, SOUP_STATUS_NOT_FOUND, "not_found", "there is no such file");
}
