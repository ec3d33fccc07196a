/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "page.h"
#include "routes.h"

void
dub_route_page_file (
    DubApiServer *self, SoupServerMessage *message, const char *stream_id)
{
  const char *path = g_uri_get_path (soup_server_message_get_uri (message));

  if (!dub_page_answer (self->settings, message, path))
    dub_answer_problem (message, SOUP_STATUS_NOT_FOUND, "not_found",
        "there is nothing at this path");
}
