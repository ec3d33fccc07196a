/* SPDX-License-Identifier: Apache-2.0 */
#include "ws_frame.h"

#include <string.h>

#define SCRATCH (16 << 10)
/* Read straight into the message from this on; less comes with its next. */
#define DIRECT (4 << 10)
#define MAX_CONTROL 125

enum {
  OPCODE_CONTINUATION = 0,
  OPCODE_TEXT = 1,
  OPCODE_BINARY = 2,
  OPCODE_CLOSE = 8,
  OPCODE_PING = 9,
  OPCODE_PONG = 10,
};

struct _DubWsReader {
  gboolean is_client;
  gsize max_message;

  /* Bytes that came and were not looked at yet: [used, have). */
  gsize used, have;
  guint8 scratch[SCRATCH];

  /* The frame that is being read. */
  gboolean in_frame;
  gboolean is_final;
  guint opcode;
  guint8 mask[4];
  gsize length, done;
  guint8 control[MAX_CONTROL];

  /* The message that is being put together; opcode 0: none. */
  guint message_opcode;
  guint8 *message;
  gsize message_length; /* of the frames before this one */
};

DubWsReader *
dub_ws_reader_new (gboolean is_client, gsize max_message)
{
  DubWsReader *reader = g_new (DubWsReader, 1);

  memset (reader, 0, sizeof *reader);
  reader->is_client = is_client;
  reader->max_message = max_message;
  return reader;
}

void
dub_ws_reader_free (DubWsReader *reader)
{
  if (reader == NULL)
    return;
  g_free (reader->message);
  g_free (reader);
}

static gboolean
is_control (guint opcode)
{
  return opcode >= OPCODE_CLOSE;
}

static guint8 *
frame_data (DubWsReader *reader)
{
  return is_control (reader->opcode) ? reader->control
                                     : reader->message + reader->message_length;
}

static gboolean
reads_direct (DubWsReader *reader)
{
  return reader->in_frame && !is_control (reader->opcode) &&
         reader->used == reader->have &&
         reader->length - reader->done >= DIRECT;
}

void
dub_ws_reader_get_space (
    DubWsReader *reader, guint8 **ret_space, gsize *ret_size)
{
  if (reads_direct (reader)) {
    *ret_space = frame_data (reader) + reader->done;
    *ret_size = reader->length - reader->done;
    return;
  }
  if (reader->used > 0) {
    memmove (reader->scratch, reader->scratch + reader->used,
        reader->have - reader->used);
    reader->have -= reader->used;
    reader->used = 0;
  }
  *ret_space = reader->scratch + reader->have;
  *ret_size = SCRATCH - reader->have;
}

/* Of the frame, from done on. */
static void
take_payload (DubWsReader *reader, gsize n)
{
  if (!reader->is_client)
    dub_ws_mask (
        frame_data (reader) + reader->done, n, reader->mask, reader->done);
  reader->done += n;
}

void
dub_ws_reader_advance (DubWsReader *reader, gsize n)
{
  if (reads_direct (reader))
    take_payload (reader, n);
  else
    reader->have += n;
}

static gboolean
fail (guint *ret_close_code, guint code)
{
  *ret_close_code = code;
  return FALSE;
}

/* Bytes of the header that begins there; 0 when it has not come whole. */
static gsize
header_length (DubWsReader *reader)
{
  const guint8 *at = reader->scratch + reader->used;
  gsize have = reader->have - reader->used;
  gsize length = 2;

  if (have < 2)
    return 0;
  if ((at[1] & 0x7F) == 126)
    length += 2;
  else if ((at[1] & 0x7F) == 127)
    length += 8;
  if (at[1] & 0x80)
    length += 4;
  return have >= length ? length : 0;
}

static guint64
payload_length (const guint8 *at)
{
  guint n = at[1] & 0x7F;
  guint64 length = 0;
  guint bytes = n == 126 ? 2 : 8;

  if (n < 126)
    return n;
  for (guint i = 0; i < bytes; i++)
    length = length << 8 | at[2 + i];
  return length;
}

static gboolean
check_opcode (DubWsReader *reader, guint64 length, guint *ret_close_code)
{
  switch (reader->opcode) {
    case OPCODE_CONTINUATION:
      return reader->message_opcode != 0 ||
             fail (ret_close_code, DUB_WS_CLOSE_PROTOCOL);
    case OPCODE_TEXT:
    case OPCODE_BINARY:
      return reader->message_opcode == 0 ||
             fail (ret_close_code, DUB_WS_CLOSE_PROTOCOL);
    case OPCODE_CLOSE:
    case OPCODE_PING:
    case OPCODE_PONG:
      return (reader->is_final && length <= MAX_CONTROL) ||
             fail (ret_close_code, DUB_WS_CLOSE_PROTOCOL);
    default:
      return fail (ret_close_code, DUB_WS_CLOSE_PROTOCOL);
  }
}

/* Memory that is announced and not yet sent costs nothing: it is not touched
 * before the bytes come. */
static gboolean
begin_data (DubWsReader *reader, guint64 length, guint *ret_close_code)
{
  if (length > reader->max_message - reader->message_length)
    return fail (ret_close_code, DUB_WS_CLOSE_TOO_LARGE);
  if (reader->opcode != OPCODE_CONTINUATION)
    reader->message_opcode = reader->opcode;
  reader->message =
      g_realloc (reader->message, reader->message_length + (gsize) length + 1);
  return TRUE;
}

static gboolean
begin_frame (DubWsReader *reader, gsize header, guint *ret_close_code)
{
  const guint8 *at = reader->scratch + reader->used;
  gboolean is_masked = (at[1] & 0x80) != 0;
  guint64 length = payload_length (at);

  if ((at[0] & 0x70) != 0 || is_masked == reader->is_client)
    return fail (ret_close_code, DUB_WS_CLOSE_PROTOCOL);
  reader->is_final = (at[0] & 0x80) != 0;
  reader->opcode = at[0] & 0x0F;
  if (!check_opcode (reader, length, ret_close_code))
    return FALSE;
  if (!is_control (reader->opcode) &&
      !begin_data (reader, length, ret_close_code))
    return FALSE;
  if (is_masked)
    memcpy (reader->mask, at + header - 4, 4);
  reader->length = (gsize) length;
  reader->done = 0;
  reader->in_frame = TRUE;
  reader->used += header;
  return TRUE;
}

static gboolean
end_message (DubWsReader *reader, DubWsEvent *ret_event, guint *ret_close_code)
{
  gboolean is_text = reader->message_opcode == OPCODE_TEXT;

  reader->message_length += reader->length;
  if (!reader->is_final)
    return TRUE;
  if (is_text && !g_utf8_validate_len ((const char *) reader->message,
                     reader->message_length, NULL))
    return fail (ret_close_code, DUB_WS_CLOSE_BAD_DATA);
  ret_event->type = is_text ? DUB_WS_TEXT : DUB_WS_BINARY;
  ret_event->data = g_bytes_new_take (
      g_steal_pointer (&reader->message), reader->message_length);
  reader->message_length = 0;
  reader->message_opcode = 0;
  return TRUE;
}

static gboolean
end_frame (DubWsReader *reader, DubWsEvent *ret_event, guint *ret_close_code)
{
  reader->in_frame = FALSE;
  if (!is_control (reader->opcode))
    return end_message (reader, ret_event, ret_close_code);
  ret_event->type = reader->opcode == OPCODE_CLOSE  ? DUB_WS_CLOSE
                    : reader->opcode == OPCODE_PING ? DUB_WS_PING
                                                    : DUB_WS_PONG;
  ret_event->data = g_bytes_new (reader->control, reader->length);
  return TRUE;
}

/* From the scratch to the frame. */
static void
move_payload (DubWsReader *reader)
{
  gsize n = MIN (reader->have - reader->used, reader->length - reader->done);

  memcpy (
      frame_data (reader) + reader->done, reader->scratch + reader->used, n);
  reader->used += n;
  take_payload (reader, n);
}

gboolean
dub_ws_reader_next (
    DubWsReader *reader, DubWsEvent *ret_event, guint *ret_close_code)
{
  ret_event->type = DUB_WS_NONE;
  ret_event->data = NULL;
  while (ret_event->type == DUB_WS_NONE) {
    if (!reader->in_frame) {
      gsize header = header_length (reader);

      if (header == 0)
        return TRUE;
      if (!begin_frame (reader, header, ret_close_code))
        return FALSE;
    }
    move_payload (reader);
    if (reader->done < reader->length)
      return TRUE;
    if (!end_frame (reader, ret_event, ret_close_code))
      return FALSE;
  }
  return TRUE;
}

gsize
dub_ws_write_header (guint8 to[DUB_WS_MAX_HEADER], DubWsType type, gsize length,
    const guint8 *mask)
{
  static const guint8 opcodes[] = {
      0, OPCODE_TEXT, OPCODE_BINARY, OPCODE_PING, OPCODE_PONG, OPCODE_CLOSE};
  guint bytes = length < 126 ? 0 : length <= G_MAXUINT16 ? 2 : 8;
  gsize at = 2;

  to[0] = 0x80 | opcodes[type];
  to[1] = bytes == 0 ? (guint8) length : bytes == 2 ? 126 : 127;
  for (guint i = 0; i < bytes; i++)
    to[at++] = (guint8) ((guint64) length >> (8 * (bytes - 1 - i)));
  if (mask == NULL)
    return at;
  to[1] |= 0x80;
  memcpy (to + at, mask, 4);
  return at + 4;
}

/* Four words at a time, which the compiler makes two or one of. */
void
dub_ws_mask (guint8 *data, gsize length, const guint8 mask[4], gsize offset)
{
  guint8 pattern[8];
  guint64 wide, words[4];
  gsize i = 0;

  for (guint k = 0; k < 8; k++)
    pattern[k] = mask[(offset + k) % 4];
  memcpy (&wide, pattern, 8);
  for (; i + sizeof words <= length; i += sizeof words) {
    memcpy (words, data + i, sizeof words);
    words[0] ^= wide;
    words[1] ^= wide;
    words[2] ^= wide;
    words[3] ^= wide;
    memcpy (data + i, words, sizeof words);
  }
  for (; i < length; i++)
    data[i] ^= pattern[i % 8];
}
