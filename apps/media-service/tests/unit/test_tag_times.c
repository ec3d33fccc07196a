/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/tag_times.h"

#include <string.h>

static void
append_tag (GByteArray *to, guint8 kind, guint32 ms, guint size)
{
  guint8 header[11] = {kind, 0, (guint8) (size >> 8), (guint8) size,
      (guint8) (ms >> 16), (guint8) (ms >> 8), (guint8) ms,
      (guint8) (ms >> 24)};
  guint8 body[300] = {0};

  g_byte_array_append (to, header, sizeof header);
  g_byte_array_append (to, body, size + 4);
}

static void
test_one_tag_a_buffer (void)
{
  static const struct {
    guint8 kind;
    guint32 ms;
  } table[] = {{9, 0}, {8, 16777216}, {9, 4294967295}, {8, 77}};

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GByteArray) buffer = g_byte_array_new ();
    DubTagTimes times = {0};
    gboolean is_video = table[i].kind == 9;
    gint64 ms = -1;

    append_tag (buffer, table[i].kind, table[i].ms, 20);
    dub_tag_times_feed (&times, buffer->data, buffer->len);
    g_assert_true (dub_tag_times_take (&times, is_video, &ms));
    g_assert_cmpint (ms, ==, table[i].ms);
    g_assert_false (dub_tag_times_take (&times, is_video, &ms));
  }
}

static void
test_several_after_the_header (void)
{
  static const guint8 header[13] = {'F', 'L', 'V', 1, 5, 0, 0, 0, 9};
  g_autoptr (GByteArray) buffer = g_byte_array_new ();
  DubTagTimes times = {0};
  gint64 ms = 0;

  g_byte_array_append (buffer, header, sizeof header);
  append_tag (buffer, 18, 5, 0);
  append_tag (buffer, 9, 40, 256);
  append_tag (buffer, 8, 41, 0);
  append_tag (buffer, 9, 80, 1);
  dub_tag_times_feed (&times, buffer->data, buffer->len);
  g_assert_true (dub_tag_times_take (&times, TRUE, &ms));
  g_assert_cmpint (ms, ==, 40);
  g_assert_true (dub_tag_times_take (&times, TRUE, &ms)); /* no sound asked */
  g_assert_cmpint (ms, ==, 80);
  g_assert_false (dub_tag_times_take (&times, FALSE, &ms));
}

/* Whatever comes: no more than there is room for, nothing read beyond. */
static void
test_odd_bytes (void)
{
  DubTagTimes times = {0};
  g_autoptr (GByteArray) many = g_byte_array_new ();
  gint64 ms;

  dub_tag_times_feed (&times, (const guint8 *) "FLV", 3);
  g_assert_cmpuint (times.n, ==, 0);
  for (guint i = 0; i < 40; i++)
    append_tag (many, 9, i, 0);
  dub_tag_times_feed (&times, many->data, many->len);
  g_assert_cmpuint (times.n, ==, DUB_TAG_TIMES_MAX);
  for (gsize size = 0; size <= 40; size++) {
    g_autofree guint8 *copy = g_memdup2 (many->data, size);

    dub_tag_times_feed (&times, copy, size);
    while (dub_tag_times_take (&times, TRUE, &ms))
      g_assert_cmpint (ms, <, 3);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/ingest/tag-times/one", test_one_tag_a_buffer);
  g_test_add_func (
      "/media/ingest/tag-times/several", test_several_after_the_header);
  g_test_add_func ("/media/ingest/tag-times/odd-bytes", test_odd_bytes);
  return g_test_run ();
}
