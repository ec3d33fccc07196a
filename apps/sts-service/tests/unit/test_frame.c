/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/frame.h"

#include <dubbing_common/error.h>
#include <string.h>

static DubFrame *
frame_with (const char *op, const char *payload)
{
  g_autoptr (GBytes) bytes =
      payload != NULL ? g_bytes_new (payload, strlen (payload)) : NULL;
  DubFrame *frame = dub_frame_new (json_object_new (), bytes);

  json_object_set_string_member (frame->header, "op", op);
  json_object_set_int_member (frame->header, "id", 7);
  json_object_set_double_member (frame->header, "speed", 1.25);
  return frame;
}

static void
push_all (DubFrameReader *reader, GBytes *bytes, gsize piece)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  for (gsize at = 0; at < length; at += piece)
    dub_frame_reader_push (reader, data + at, MIN (piece, length - at));
}

static void
test_there_and_back (void)
{
  const gsize pieces[] = {1, 3, 11, 4096};

  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++) {
    g_autoptr (DubFrame) one = frame_with ("result", "sound");
    g_autoptr (DubFrame) two = frame_with ("ready", NULL);
    g_autoptr (GBytes) first = dub_frame_pack (one, NULL);
    g_autoptr (GBytes) second = dub_frame_pack (two, NULL);
    g_autoptr (DubFrameReader) reader = dub_frame_reader_new ();
    g_autoptr (DubFrame) got = NULL;
    g_autoptr (DubFrame) next = NULL;
    g_autoptr (DubFrame) none = NULL;
    g_autoptr (GError) error = NULL;

    push_all (reader, first, pieces[i]);
    push_all (reader, second, pieces[i]);
    g_assert_true (dub_frame_reader_next (reader, &got, &error));
    g_assert_no_error (error);
    g_assert_cmpstr (dub_frame_get_string (got, "op", ""), ==, "result");
    g_assert_cmpint (dub_frame_get_int (got, "id", -1), ==, 7);
    g_assert_cmpfloat (dub_frame_get_double (got, "speed", 0), ==, 1.25);
    g_assert_cmpmem (g_bytes_get_data (got->payload, NULL),
        g_bytes_get_size (got->payload), "sound", 5);
    g_assert_true (dub_frame_reader_next (reader, &next, NULL));
    g_assert_cmpstr (dub_frame_get_string (next, "op", ""), ==, "ready");
    g_assert_cmpuint (g_bytes_get_size (next->payload), ==, 0);
    g_assert_true (dub_frame_reader_next (reader, &none, NULL));
    g_assert_null (none);
  }
}

static void
test_members_of_another_type (void)
{
  g_autoptr (DubFrame) frame = frame_with ("x", NULL);

  json_object_set_array_member (frame->header, "list", json_array_new ());
  json_object_set_null_member (frame->header, "null");
  g_assert_cmpint (dub_frame_get_int (frame, "op", 5), ==, 5);
  g_assert_cmpint (dub_frame_get_int (frame, "list", 6), ==, 6);
  g_assert_cmpint (dub_frame_get_int (frame, "null", 7), ==, 7);
  g_assert_cmpstr (dub_frame_get_string (frame, "id", "no"), ==, "no");
  g_assert_cmpstr (dub_frame_get_string (frame, "absent", "no"), ==, "no");
  g_assert_cmpfloat (dub_frame_get_double (frame, "id", 0), ==, 7);
}

static void
test_refuses_to_pack_too_much (void)
{
  g_autofree char *big = g_malloc0 (DUB_FRAME_MAX_PAYLOAD + 1);
  g_autoptr (GBytes) bytes = g_bytes_new (big, DUB_FRAME_MAX_PAYLOAD + 1);
  g_autoptr (DubFrame) frame = dub_frame_new (json_object_new (), bytes);
  g_autoptr (GError) error = NULL;

  g_assert_null (dub_frame_pack (frame, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
}

typedef struct {
  const char *name;
  const char *bytes;
  gsize length;
  gint code;
} Broken;

#define BYTES(text) (text), sizeof (text) - 1

static void
test_broken (void)
{
  static const Broken cases[] = {
      {"mark", BYTES ("DUBX"), DUB_ERROR_PROTOCOL},
      {"first byte", BYTES ("x"), DUB_ERROR_PROTOCOL},
      {"no header", BYTES ("DUBF\0\0\0\0\0\0\0\0"), DUB_ERROR_LIMIT},
      {"huge header", BYTES ("DUBF\xff\xff\xff\xff\0\0\0\0"), DUB_ERROR_LIMIT},
      {"huge payload", BYTES ("DUBF\2\0\0\0\xff\xff\xff\x7f"), DUB_ERROR_LIMIT},
      {"no JSON", BYTES ("DUBF\2\0\0\0\0\0\0\0}{"), DUB_ERROR_PROTOCOL},
      {"no object", BYTES ("DUBF\2\0\0\0\0\0\0\0[]"), DUB_ERROR_PROTOCOL},
      {"no UTF-8", BYTES ("DUBF\7\0\0\0\0\0\0\0{\"\xff\":1}"),
          DUB_ERROR_PROTOCOL},
      {"deep",
          BYTES ("DUBF\x16\0\0\0\0\0\0\0{\"a\":[[[[[[[[[[[[[[[["
                 "[["),
          DUB_ERROR_PROTOCOL},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (DubFrameReader) reader = dub_frame_reader_new ();
    g_autoptr (GError) error = NULL;
    DubFrame *frame = NULL;

    g_test_message ("%s", cases[i].name);
    dub_frame_reader_push (
        reader, (const guint8 *) cases[i].bytes, cases[i].length);
    g_assert_false (dub_frame_reader_next (reader, &frame, &error));
    g_assert_null (frame);
    g_assert_error (error, DUB_ERROR, cases[i].code);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/engine/frame/there-and-back", test_there_and_back);
  g_test_add_func ("/sts/engine/frame/members-of-another-type",
      test_members_of_another_type);
  g_test_add_func ("/sts/engine/frame/refuses-to-pack-too-much",
      test_refuses_to_pack_too_much);
  g_test_add_func ("/sts/engine/frame/broken", test_broken);
  return g_test_run ();
}
