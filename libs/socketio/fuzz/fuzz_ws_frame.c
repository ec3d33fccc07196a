/* SPDX-License-Identifier: Apache-2.0 */
#include "ws_frame.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define MAX_MESSAGE 65536

/* What the reader made of the bytes, as one text. */
static void
note (GString *log, const DubWsEvent *event)
{
  g_autofree char *sum =
      g_compute_checksum_for_bytes (G_CHECKSUM_MD5, event->data);

  g_assert_cmpuint (g_bytes_get_size (event->data), <=, MAX_MESSAGE);
  if (event->type == DUB_WS_TEXT)
    g_assert_true (g_utf8_validate_len (g_bytes_get_data (event->data, NULL),
        g_bytes_get_size (event->data), NULL));
  g_string_append_printf (log, "%d %s\n", (int) event->type, sum);
}

static gboolean
take_events (DubWsReader *reader, GString *log)
{
  guint code = 0;
  DubWsEvent event;

  for (;;) {
    if (!dub_ws_reader_next (reader, &event, &code)) {
      g_string_append_printf (log, "close %u\n", code);
      return FALSE;
    }
    if (event.type == DUB_WS_NONE)
      return TRUE;
    note (log, &event);
    g_bytes_unref (event.data);
  }
}

/* step: so many bytes at a time. */
static char *
read_all (const uint8_t *data, size_t size, gboolean is_client, gsize step)
{
  g_autoptr (DubWsReader) reader = dub_ws_reader_new (is_client, MAX_MESSAGE);
  GString *log = g_string_new (NULL);

  while (size > 0) {
    guint8 *space;
    gsize n;

    dub_ws_reader_get_space (reader, &space, &n);
    n = MIN (MIN (n, step), size);
    g_assert_cmpuint (n, >, 0);
    memcpy (space, data, n);
    dub_ws_reader_advance (reader, n);
    data += n;
    size -= n;
    if (!take_events (reader, log))
      break;
  }
  return g_string_free (log, FALSE);
}

/* The first byte chooses the side. However the bytes are cut, the same comes
 * out. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *whole = NULL;
  g_autofree char *single = NULL;
  g_autofree char *seven = NULL;

  if (size == 0)
    return 0;
  whole = read_all (data + 1, size - 1, data[0] & 1, G_MAXSIZE);
  single = read_all (data + 1, size - 1, data[0] & 1, 1);
  seven = read_all (data + 1, size - 1, data[0] & 1, 4099);
  g_assert_cmpstr (whole, ==, single);
  g_assert_cmpstr (whole, ==, seven);
  return 0;
}
