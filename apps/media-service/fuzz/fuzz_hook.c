/* SPDX-License-Identifier: Apache-2.0 */
#include "api/hook_event.h"
#include "api/path_list.h"
#include "orchestrator/stream_settings.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What comes by HTTP: an event, its query, the media server's list. An id that
 * gets through becomes a file's name, so it must be a plain word. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data;
  g_autoptr (DubHookEvent) event = NULL;
  g_autoptr (DubStreamSettings) options = NULL;
  g_autoptr (GArray) streams = dub_path_list_parse (text, size);
  g_autofree char *query = g_strndup (text, size);
  const char *field;

  for (guint i = 0; streams != NULL && i < streams->len; i++)
    g_assert_true (dub_stream_id_is_valid (
        g_array_index (streams, DubPresent, i).stream_id));
  if (streams != NULL)
    dub_path_list_add_queries (streams, text, size);
  event = dub_hook_event_parse (text, size, size % 2, &field, NULL);
  if (event != NULL)
    g_assert_true (dub_stream_id_is_valid (event->stream_id));
  options = dub_stream_settings_parse_query (query);
  g_assert_true (dub_stream_settings_equal (options, options));
  return 0;
}
