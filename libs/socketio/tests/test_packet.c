/* SPDX-License-Identifier: Apache-2.0 */
#include "eio_packet.h"
#include "sio_packet.h"
#include <dubbing_socketio/json.h>

#include <dubbing_common/error.h>
#include <string.h>

static GBytes *
bytes_of (const char *text)
{
  return g_bytes_new (text, strlen (text));
}

static void
expect_text (GBytes *bytes, const char *expected)
{
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      expected, strlen (expected));
}

/* ----------------------------------------------------------------- JSON */

/* out: NULL when in must be refused. */
typedef struct {
  const char *in;
  const char *out;
} JsonCase;

static const JsonCase json_cases[] = {
    {"null", "null"},
    {" [ true , false ] ", "[true,false]"},
    {"{\"b\":1,\"a\":{},\"c\":[]}", "{\"b\":1,\"a\":{},\"c\":[]}"},
    {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
    {"-0", "0"},
    {"9223372036854775807", "9223372036854775807"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"9223372036854775808", "9.223372036854776e+18"},
    {"0.1", "0.1"},
    {"1e2", "100"},
    {"1.7976931348623157e+308", "1.7976931348623157e+308"},
    {"\"\\u00e9\\ud83d\\ude00\\n\\/\"", "\"é😀\\n/\""},
    {"\"\\u0000|\\ud83d|\\ude00\"",
        "\"\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF\xBD\""},
    {"\"\\ud83d\\u0041\"", "\"\xEF\xBF\xBD"
                           "A\""},
    {"\"\\u0001\\t\"", "\"\\u0001\\u0009\""},
    {"", NULL},
    {"[1", NULL},
    {"[1,]", NULL},
    {"[,1]", NULL},
    {"{\"a\"}", NULL},
    {"{\"a\":}", NULL},
    {"{a:1}", NULL},
    {"{\"a\":1,}", NULL},
    {"01", NULL},
    {"1.", NULL},
    {".5", NULL},
    {"+1", NULL},
    {"-", NULL},
    {"1e", NULL},
    {"tru", NULL},
    {"TRUE", NULL},
    {"nul", NULL},
    {"\"", NULL},
    {"\"\\x\"", NULL},
    {"\"\\u12\"", NULL},
    {"\"a\nb\"", NULL},
    {"// c\n1", NULL},
    {"1 2", NULL},
    {"]", NULL},
};

static void
test_json (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (json_cases); i++) {
    const JsonCase *c = &json_cases[i];
    /* In memory of its own size: reading beyond the end is seen. */
    gsize length = strlen (c->in);
    g_autofree char *exact = g_memdup2 (c->in, length);
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonNode) node = dub_sio_json_parse (exact, length, &error);
    g_autoptr (GString) out = g_string_new (NULL);

    if (c->out == NULL) {
      g_assert_null (node);
      g_assert_error (error, DUB_ERROR, DUB_ERROR_PROTOCOL);
      continue;
    }
    g_assert_no_error (error);
    dub_sio_json_write (node, out);
    g_assert_cmpstr (out->str, ==, c->out);
  }
}

static char *
nested (guint depth)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < depth; i++)
    g_string_append_c (text, '[');
  for (guint i = 0; i < depth; i++)
    g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

static void
test_json_limits (void)
{
  g_autofree char *deep = nested (DUB_SIO_JSON_MAX_DEPTH);
  g_autofree char *deeper = nested (DUB_SIO_JSON_MAX_DEPTH + 1);
  g_autofree char *many = g_strnfill (2 * DUB_SIO_JSON_MAX_VALUES + 1, '0');
  g_autoptr (JsonNode) fits = NULL;
  g_autoptr (GError) error = NULL;

  fits = dub_sio_json_parse (deep, strlen (deep), &error);
  g_assert_no_error (error);
  g_assert_nonnull (fits);
  g_assert_null (dub_sio_json_parse (deeper, strlen (deeper), &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
  g_clear_error (&error);

  for (gsize i = 0; i <= 2 * DUB_SIO_JSON_MAX_VALUES; i += 2)
    many[i] = ',';
  many[0] = '[';
  many[2 * DUB_SIO_JSON_MAX_VALUES] = ']';
  g_assert_null (dub_sio_json_parse (many, strlen (many), &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
}

/* ------------------------------------------------------------ Engine.IO */

static void
test_eio_packet (void)
{
  g_autoptr (GBytes) text = bytes_of ("2probe");
  g_autoptr (GBytes) empty = bytes_of ("");
  g_autoptr (GBytes) unknown = bytes_of ("7");
  g_autoptr (DubEioPacket) ping = dub_eio_packet_decode (FALSE, text, NULL);
  g_autoptr (DubEioPacket) binary = dub_eio_packet_decode (TRUE, text, NULL);
  g_autoptr (DubEioPacket) nothing = dub_eio_packet_decode (TRUE, empty, NULL);

  g_assert_cmpint (ping->type, ==, DUB_EIO_PING);
  expect_text (ping->data, "probe");
  g_assert_cmpint (binary->type, ==, DUB_EIO_MESSAGE);
  g_assert_true (binary->is_binary);
  expect_text (binary->data, "2probe");
  g_assert_cmpuint (g_bytes_get_size (nothing->data), ==, 0);
  g_assert_null (dub_eio_packet_decode (FALSE, empty, NULL));
  g_assert_null (dub_eio_packet_decode (FALSE, unknown, NULL));
}

static void
test_eio_payload_decode (void)
{
  static const char *const bad[] = {
      "", "4a\x1e", "\x1e\x34\x61", "7", "b*", "4\xff"};
  g_autoptr (GBytes) body = bytes_of ("4a\x1e"
                                      "bAQIDBA==\x1e"
                                      "3\x1e"
                                      "4");
  g_autoptr (GPtrArray) packets = dub_eio_payload_decode (body, NULL);
  DubEioPacket *packet;

  g_assert_cmpuint (packets->len, ==, 4);
  packet = g_ptr_array_index (packets, 1);
  g_assert_true (packet->is_binary);
  expect_text (packet->data, "\1\2\3\4");
  packet = g_ptr_array_index (packets, 2);
  g_assert_cmpint (packet->type, ==, DUB_EIO_PONG);
  packet = g_ptr_array_index (packets, 3);
  g_assert_cmpint (packet->type, ==, DUB_EIO_MESSAGE);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GBytes) bad_body = bytes_of (bad[i]);

    g_assert_null (dub_eio_payload_decode (bad_body, NULL));
  }
}

static void
test_eio_payload_limits (void)
{
  GQueue frames = G_QUEUE_INIT;
  g_autoptr (GBytes) first = NULL;
  g_autoptr (GBytes) small = NULL;

  for (guint i = 0; i < 20; i++)
    g_queue_push_tail (&frames, dub_eio_frame_new_text ("4x"));
  first = dub_eio_payload_encode (&frames, 1000);
  g_assert_cmpuint (g_bytes_get_size (first), ==, 16 * 2 + 15);
  g_assert_cmpuint (g_queue_get_length (&frames), ==, 4);
  small = dub_eio_payload_encode (&frames, 4);
  expect_text (small, "4x\x1e"
                      "4x");
  g_queue_clear_full (&frames, (GDestroyNotify) dub_eio_frame_free);
}

/* ------------------------------------------------------------ Socket.IO */

typedef struct {
  const char *text;
  DubSioType type;
  const char *name_space;
  gint64 id;
} SioCase;

static const SioCase sio_cases[] = {
    {"0", DUB_SIO_CONNECT, "/", -1},
    {"0{\"a\":1}", DUB_SIO_CONNECT, "/", -1},
    {"0/a", DUB_SIO_CONNECT, "/a", -1},
    {"0/a,", DUB_SIO_CONNECT, "/a", -1},
    {"0/a?token=1,{}", DUB_SIO_CONNECT, "/a", -1},
    {"1", DUB_SIO_DISCONNECT, "/", -1},
    {"1/a,", DUB_SIO_DISCONNECT, "/a", -1},
    {"2[\"e\"]", DUB_SIO_EVENT, "/", -1},
    {"212[\"e\",1]", DUB_SIO_EVENT, "/", 12},
    {"2/a,999999999999999[\"e\"]", DUB_SIO_EVENT, "/a", 999999999999999},
    {"37[]", DUB_SIO_ACK, "/", 7},
    {"4\"no\"", DUB_SIO_CONNECT_ERROR, "/", -1},
    {"4/a,{\"message\":\"no\"}", DUB_SIO_CONNECT_ERROR, "/a", -1},
    {"50-[\"e\"]", DUB_SIO_EVENT, "/", -1},
    {"60-/a,3[]", DUB_SIO_ACK, "/a", 3},
};

static void
test_sio_decode (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (sio_cases); i++) {
    const SioCase *c = &sio_cases[i];
    g_autoptr (DubSioDecoder) decoder = dub_sio_decoder_new (4, 1000);
    g_autoptr (GBytes) text = bytes_of (c->text);
    g_autoptr (DubSioPacket) packet = NULL;
    g_autoptr (GError) error = NULL;

    dub_sio_decoder_feed (decoder, FALSE, text, &packet, &error);
    g_assert_no_error (error);
    g_assert_nonnull (packet);
    g_assert_cmpint (packet->type, ==, c->type);
    g_assert_cmpstr (packet->name_space, ==, c->name_space);
    g_assert_cmpint (packet->id, ==, c->id);
  }
}

static const char *const sio_bad[] = {"", "7", "x", "0[]", "0null", "1{}", "2",
    "2{}", "2[]", "2[1]", "2[null]", "2[\"e\"", "3[]", "31", "31{}", "4",
    "5[\"e\"]", "5-[\"e\"]", "55-[\"e\"]", "51[\"e\"]",
    "51-[\"e\",{\"_placeholder\":true,\"num\":1}]",
    "51-[\"e\",{\"_placeholder\":true,\"num\":-1}]",
    "51-[\"e\",{\"_placeholder\":true,\"num\":0.5}]",
    "51-[\"e\",{\"_placeholder\":true}]", "21234567890123456[\"e\"]",
    "2-1[\"e\"]", "2[\"e\"]2"};

static void
test_sio_refuse (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (sio_bad); i++) {
    g_autoptr (DubSioDecoder) decoder = dub_sio_decoder_new (4, 1000);
    g_autoptr (GBytes) text = bytes_of (sio_bad[i]);
    DubSioPacket *packet = NULL;
    g_autoptr (GError) error = NULL;

    if (dub_sio_decoder_feed (decoder, FALSE, text, &packet, &error))
      g_error ("taken: %s", sio_bad[i]);
    g_assert_nonnull (error);
    g_assert_null (packet);
  }
}

static DubSioMessage *
binary_message (void)
{
  DubSioMessage *message = dub_sio_message_new ("e");
  g_autoptr (GBytes) one = bytes_of ("one");
  g_autoptr (GBytes) two = bytes_of ("two");
  JsonNode *list = json_node_new (JSON_NODE_ARRAY);

  json_node_take_array (list, json_array_new ());
  json_array_add_element (
      json_node_get_array (list), dub_sio_message_add_binary (message, one));
  dub_sio_message_add_arg (message, list);
  dub_sio_message_add_arg (message, dub_sio_message_add_binary (message, two));
  return message;
}

static void
test_sio_binary (void)
{
  g_autoptr (DubSioMessage) message = binary_message ();
  g_autoptr (DubSioMessage) twice = dub_sio_message_new (NULL);
  g_autoptr (GBytes) text = NULL;
  g_autoptr (GBytes) copied = NULL;
  GBytes *two;

  text = dub_sio_encode_message ("/a", 5, message);
  expect_text (text, "452-/a,5[\"e\",[{\"_placeholder\":true,\"num\":0}],"
                     "{\"_placeholder\":true,\"num\":1}]");
  two = dub_sio_message_get_binary (
      message, dub_sio_message_get_arg (message, 1));
  expect_text (two, "two");
  g_assert_null (dub_sio_message_get_binary (
      message, dub_sio_message_get_arg (message, 0)));

  dub_sio_message_add_args_of (twice, message);
  dub_sio_message_add_args_of (twice, message);
  copied = dub_sio_encode_message ("/", 1, twice);
  expect_text (copied, "464-1[[{\"_placeholder\":true,\"num\":0}],"
                       "{\"_placeholder\":true,\"num\":1},"
                       "[{\"_placeholder\":true,\"num\":2}],"
                       "{\"_placeholder\":true,\"num\":3}]");
}

static void
test_sio_attachments (void)
{
  g_autoptr (DubSioDecoder) decoder = dub_sio_decoder_new (4, 1000);
  g_autoptr (GBytes) text =
      bytes_of ("52-[\"e\",{\"_placeholder\":true,\"num\":1},"
                "{\"_placeholder\":true,\"num\":0}]");
  g_autoptr (GBytes) zero = bytes_of ("zero");
  g_autoptr (GBytes) one = bytes_of ("one");
  g_autoptr (DubSioPacket) packet = NULL;

  g_assert_true (dub_sio_decoder_feed (decoder, FALSE, text, &packet, NULL));
  g_assert_null (packet);
  g_assert_true (dub_sio_decoder_feed (decoder, TRUE, zero, &packet, NULL));
  g_assert_null (packet);
  g_assert_true (dub_sio_decoder_feed (decoder, TRUE, one, &packet, NULL));
  g_assert_nonnull (packet);
  expect_text (dub_sio_message_get_binary (packet->message,
                   dub_sio_message_get_arg (packet->message, 0)),
      "one");
  /* None is due any more. */
  g_assert_false (dub_sio_decoder_feed (decoder, TRUE, one, &packet, NULL));
}

static void
test_sio_sizes (void)
{
  g_autoptr (DubSioDecoder) decoder = dub_sio_decoder_new (4, 40);
  g_autoptr (GBytes) text =
      bytes_of ("51-[\"e\",{\"_placeholder\":true,\"num\":0}]");
  g_autoptr (GBytes) bytes = bytes_of ("1234");
  g_autoptr (GError) error = NULL;
  DubSioPacket *packet = NULL;

  g_assert_cmpuint (g_bytes_get_size (text), ==, 38);
  g_assert_true (dub_sio_decoder_feed (decoder, FALSE, text, &packet, &error));
  g_assert_false (dub_sio_decoder_feed (decoder, TRUE, bytes, &packet, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/socketio/json/text", test_json);
  g_test_add_func ("/socketio/json/limits", test_json_limits);
  g_test_add_func ("/socketio/eio/packet", test_eio_packet);
  g_test_add_func ("/socketio/eio/payload", test_eio_payload_decode);
  g_test_add_func ("/socketio/eio/payload-limits", test_eio_payload_limits);
  g_test_add_func ("/socketio/sio/decode", test_sio_decode);
  g_test_add_func ("/socketio/sio/refuse", test_sio_refuse);
  g_test_add_func ("/socketio/sio/binary", test_sio_binary);
  g_test_add_func ("/socketio/sio/attachments", test_sio_attachments);
  g_test_add_func ("/socketio/sio/sizes", test_sio_sizes);
  return g_test_run ();
}
