/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any JSON as the payload of any event: byte 0 chooses the event, the rest is
 * the payload. What is taken must be encodable, and its encoding be taken
 * again; both are asserted.
 */
#include "../tests/codec.h"
/* The parser of the real way in; json-glib's own leaks on "{}{}". */
#include <dubbing_socketio/json.h>

#include <dubbing_contracts/contracts.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Payloads of real events without sound fit well within. */
#define MAX_INPUT_BYTES 16384

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static guint
count_events (void)
{
  guint count = 0;

  while (dub_codec_event (count))
    count++;
  return count;
}

static void
check_again (const char *event, JsonNode *emitted)
{
  gboolean is_known = FALSE;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) again = NULL;

  if (g_str_equal (event, DUB_EVENT_STREAM_INIT))
    return; /* a flat one has no ids yet */
  again = dub_codec_round_trip (event, emitted, &is_known, &error);
  if (!again)
    g_error ("%s: our own output is refused: %s", event, error->message);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (JsonNode) emitted = NULL;
  g_autofree char *fragment_id = NULL;
  const char *event;
  gboolean is_known = FALSE;
  guint64 number = 0;
  guint count;

  if (size < 2 || size > MAX_INPUT_BYTES ||
      !g_utf8_validate ((const char *) data + 1, (gssize) size - 1, NULL))
    return 0;
  root = dub_sio_json_parse ((const char *) data + 1, size - 1, NULL);
  if (!root)
    return 0;
  count = count_events ();
  g_assert_cmpuint (count, >, 0);
  event = dub_codec_event (data[0] % count);
  (void) dub_fragment_data_peek (root, &fragment_id, &number);
  (void) dub_fragment_data_peek_base64_length (root);
  emitted = dub_codec_round_trip (event, root, &is_known, NULL);
  if (emitted)
    check_again (event, emitted);
  return 0;
}
