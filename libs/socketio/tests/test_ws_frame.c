/* SPDX-License-Identifier: Apache-2.0 */
#include "ws_frame.h"

#include <string.h>

#define MAX_MESSAGE 100000

typedef struct {
  DubWsReader *reader;
  GPtrArray *events; /* of GBytes: the type, then the data */
  guint close_code;  /* 0: none */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer is_client)
{
  fixture->reader = dub_ws_reader_new (is_client != NULL, MAX_MESSAGE);
  fixture->events =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  dub_ws_reader_free (fixture->reader);
  g_ptr_array_unref (fixture->events);
}

static void
take_events (Fixture *fixture)
{
  DubWsEvent event;

  while (fixture->close_code == 0) {
    if (!dub_ws_reader_next (fixture->reader, &event, &fixture->close_code) ||
        event.type == DUB_WS_NONE)
      return;
    g_ptr_array_add (fixture->events, event.data);
    g_ptr_array_add (
        fixture->events, g_bytes_new (&event.type, sizeof event.type));
  }
}

static void
give (Fixture *fixture, GByteArray *bytes, gsize step)
{
  for (gsize at = 0; at < bytes->len;) {
    guint8 *space;
    gsize n;

    dub_ws_reader_get_space (fixture->reader, &space, &n);
    n = MIN (MIN (n, step), bytes->len - at);
    memcpy (space, bytes->data + at, n);
    dub_ws_reader_advance (fixture->reader, n);
    at += n;
    take_events (fixture);
  }
}

static void
append (GByteArray *to, DubWsType type, const void *data, gsize length,
    gboolean is_masked)
{
  static const guint8 mask[] = {0x12, 0x34, 0x56, 0x78};
  guint8 header[DUB_WS_MAX_HEADER];
  gsize n = dub_ws_write_header (header, type, length, is_masked ? mask : NULL);
  guint at;

  g_byte_array_append (to, header, (guint) n);
  at = to->len;
  g_byte_array_append (to, data, (guint) length);
  if (is_masked)
    dub_ws_mask (to->data + at, length, mask, 0);
}

static void
expect (Fixture *fixture, guint index, DubWsType type, const void *data,
    gsize length)
{
  GBytes *bytes, *kind;

  g_assert_cmpuint (fixture->events->len, >, 2 * index + 1);
  bytes = g_ptr_array_index (fixture->events, 2 * index);
  kind = g_ptr_array_index (fixture->events, 2 * index + 1);
  g_assert_cmpmem (
      g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), data, length);
  g_assert_cmpmem (g_bytes_get_data (kind, NULL), g_bytes_get_size (kind),
      &type, sizeof type);
}

/* Lengths around each way to write one, however the bytes come. */
static void
test_lengths (Fixture *fixture, gconstpointer is_client)
{
  static const gsize lengths[] = {
      0, 1, 125, 126, 127, 4095, 4096, 16383, 16384, 65535, 65536, MAX_MESSAGE};
  static const gsize steps[] = {1, 7, 1000, G_MAXSIZE};
  g_autofree guint8 *data = g_malloc (MAX_MESSAGE);
  guint n = 0;

  for (gsize i = 0; i < MAX_MESSAGE; i++)
    data[i] = (guint8) (i * 7);
  for (guint s = 0; s < G_N_ELEMENTS (steps); s++) {
    g_autoptr (GByteArray) bytes = g_byte_array_new ();

    for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
      append (bytes, DUB_WS_BINARY, data, lengths[i], is_client == NULL);
    give (fixture, bytes, steps[s]);
    g_assert_cmpuint (fixture->close_code, ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
      expect (fixture, n++, DUB_WS_BINARY, data, lengths[i]);
  }
}

static void
test_fragments (Fixture *fixture, gconstpointer unused)
{
  static const guint8 wire[] = {0x01, 3, '4', 'h', 'e', 0x89, 1, 'p', 0x00, 2,
      'l', 'l', 0x80, 1, 'o', 0x8A, 0, 0x88, 2, 3, 0xE8};
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  g_byte_array_append (bytes, wire, sizeof wire);
  give (fixture, bytes, 1);
  g_assert_cmpuint (fixture->close_code, ==, 0);
  expect (fixture, 0, DUB_WS_PING, "p", 1);
  expect (fixture, 1, DUB_WS_TEXT, "4hello", 6);
  expect (fixture, 2, DUB_WS_PONG, "", 0);
  expect (fixture, 3, DUB_WS_CLOSE, "\x03\xe8", 2);
}

typedef struct {
  const char *wire;
  gsize size;
  guint code;
} BadCase;

#define WIRE(text) text, sizeof (text) - 1

/* As a client sees them. */
static const BadCase bad_cases[] = {
    {WIRE ("\xC1\x01x"), DUB_WS_CLOSE_PROTOCOL},         /* a reserved bit */
    {WIRE ("\x83\x01x"), DUB_WS_CLOSE_PROTOCOL},         /* an unknown type */
    {WIRE ("\x81\x81\0\0\0\0x"), DUB_WS_CLOSE_PROTOCOL}, /* masked */
    {WIRE ("\x80\x01x"), DUB_WS_CLOSE_PROTOCOL}, /* goes on with nothing */
    {WIRE ("\x01\x01x\x81\x01y"), DUB_WS_CLOSE_PROTOCOL}, /* in another */
    {WIRE ("\x09\x01x"), DUB_WS_CLOSE_PROTOCOL},          /* a ping in pieces */
    {WIRE ("\x89\x7E\0\x7E"), DUB_WS_CLOSE_PROTOCOL},     /* a long one */
    {WIRE ("\x81\x01\xFF"), DUB_WS_CLOSE_BAD_DATA},
    {WIRE ("\x82\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"), DUB_WS_CLOSE_TOO_LARGE},
    {WIRE ("\x82\x7F\0\0\0\0\0\x01\x86\xA1"), DUB_WS_CLOSE_TOO_LARGE},
};

static void
test_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_cases); i++) {
    Fixture fixture = {0};
    g_autoptr (GByteArray) bytes = g_byte_array_new ();

    set_up (&fixture, "client");
    g_byte_array_append (
        bytes, (const guint8 *) bad_cases[i].wire, (guint) bad_cases[i].size);
    give (&fixture, bytes, G_MAXSIZE);
    g_test_message ("case %u", i);
    g_assert_cmpuint (fixture.close_code, ==, bad_cases[i].code);
    g_assert_cmpuint (fixture.events->len, ==, 0);
    tear_down (&fixture, NULL);
  }
}

/* Small pieces without end: the message is bounded, not its frames. */
static void
test_many_pieces (Fixture *fixture, gconstpointer unused)
{
  static const guint8 first[] = {0x02, 1, 'x'}, next[] = {0x00, 1, 'x'};
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  g_byte_array_append (bytes, first, sizeof first);
  for (guint i = 0; i < MAX_MESSAGE; i++)
    g_byte_array_append (bytes, next, sizeof next);
  give (fixture, bytes, G_MAXSIZE);
  g_assert_cmpuint (fixture->close_code, ==, DUB_WS_CLOSE_TOO_LARGE);
}

static void
test_unmasked_at_server (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  append (bytes, DUB_WS_TEXT, "4x", 2, FALSE);
  give (fixture, bytes, G_MAXSIZE);
  g_assert_cmpuint (fixture->close_code, ==, DUB_WS_CLOSE_PROTOCOL);
}

static void
test_mask_by_parts (void)
{
  static const guint8 mask[] = {1, 2, 4, 8};
  guint8 whole[100], parts[100];

  for (guint cut = 0; cut < sizeof whole; cut++) {
    for (guint i = 0; i < sizeof whole; i++)
      whole[i] = parts[i] = (guint8) (i * 37);
    dub_ws_mask (whole, sizeof whole, mask, 0);
    for (guint i = 0; i < sizeof whole; i++)
      g_assert_cmpuint (whole[i], ==, (guint8) (i * 37) ^ mask[i % 4]);
    dub_ws_mask (parts, cut, mask, 0);
    dub_ws_mask (parts + cut, sizeof parts - cut, mask, cut);
    g_assert_cmpmem (parts, sizeof parts, whole, sizeof whole);
  }
}

#define ADD(path, side, function)                                              \
  g_test_add ("/socketio/ws/" path, Fixture, side, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("lengths-at-server", NULL, test_lengths);
  ADD ("lengths-at-client", "client", test_lengths);
  ADD ("fragments", "client", test_fragments);
  ADD ("many-pieces", "client", test_many_pieces);
  ADD ("unmasked-at-server", NULL, test_unmasked_at_server);
  g_test_add_func ("/socketio/ws/refused", test_refused);
  g_test_add_func ("/socketio/ws/mask-by-parts", test_mask_by_parts);
  return g_test_run ();
}
