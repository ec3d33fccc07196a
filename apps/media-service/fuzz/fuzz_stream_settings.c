/* SPDX-License-Identifier: Apache-2.0 */
#include "control/json_text.h"
#include "orchestrator/streams_file.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What was taken once is taken again, whichever way it went: a body of the API
 * becomes what is kept on disk and comes back from there. */
static void
check_round_trip (JsonObject *object)
{
  g_autoptr (DubStreamSettings) before = NULL;
  g_autoptr (DubStreamSettings) after = NULL;
  g_autoptr (JsonObject) kept = NULL;
  g_autoptr (JsonObject) shown = NULL;

  before = dub_stream_settings_from_json (object);
  kept = dub_stream_settings_to_json (before, TRUE);
  shown = dub_stream_settings_to_json (before, FALSE);
  g_assert_nonnull (shown);
  after = dub_stream_settings_from_json (kept);
  g_assert_true (dub_stream_settings_equal (before, after));
}

/* A body of the API, and STREAMS_FILE. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data;
  g_autoptr (JsonObject) object =
      dub_json_object_parse (text, (gssize) size, 16384, NULL);
  g_autoptr (GHashTable) streams = NULL;
  g_autoptr (DubStreamSettings) defaults = dub_stream_settings_new ();
  g_autoptr (GError) error = NULL;

  if (object != NULL)
    check_round_trip (object);
  streams = dub_streams_file_parse (text, size, defaults, &error);
  g_assert_true ((streams == NULL) == (error != NULL));
  return 0;
}
