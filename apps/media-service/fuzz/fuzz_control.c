/* SPDX-License-Identifier: Apache-2.0 */
#include "control/json_text.h"
#include "control/reader.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* However the bytes are cut into reads, the same lines come out, and each
 * message survives its own way out and in. */
static guint
read_all (const uint8_t *data, size_t size, size_t step)
{
  g_autoptr (DubControlReader) reader = dub_control_reader_new (512);
  guint n = 0;

  for (size_t at = 0; at < size; at += step) {
    dub_control_reader_feed (reader, data + at, MIN (step, size - at));
    for (;;) {
      g_autoptr (JsonObject) message = NULL;
      g_autoptr (JsonObject) again = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *line = NULL;

      if (!dub_control_reader_next (reader, &message, &error))
        break;
      n++;
      g_assert_true ((message != NULL) == (error == NULL));
      if (message == NULL)
        continue;
      line = dub_json_object_to_line (message);
      again = dub_json_object_parse (line, -1, 65536, &error);
      g_assert_no_error (error);
      g_assert_nonnull (again);
    }
  }
  return n;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  guint n = read_all (data, size, MAX (size, 1));

  g_assert_cmpuint (n, ==, read_all (data, size, 7));
  g_assert_cmpuint (n, ==, read_all (data, size, 1));
  return 0;
}
