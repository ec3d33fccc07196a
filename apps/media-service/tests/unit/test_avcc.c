/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/avcc.h"

#define BYTES(...)                                                             \
  g_bytes_new (                                                                \
      (const guint8[]){__VA_ARGS__}, sizeof ((const guint8[]){__VA_ARGS__}))

/* SPS 67 64 00 1f aa, PPS 68 ee */
#define CONFIG                                                                 \
  BYTES (1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 5, 0x67, 0x64, 0, 0x1f, 0xaa, 1, 0,  \
      2, 0x68, 0xee)

static void
test_length_size (void)
{
  g_autoptr (GBytes) good = CONFIG;
  g_autoptr (GBytes) two = BYTES (1, 0x64, 0, 0x1f, 0xfd, 0xe0, 0);
  g_autoptr (GBytes) other = BYTES (0, 0, 0, 1, 0x67, 0x64, 0);
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);

  g_assert_cmpuint (dub_avcc_get_length_size (good), ==, 4);
  g_assert_cmpuint (dub_avcc_get_length_size (two), ==, 2);
  g_assert_cmpuint (dub_avcc_get_length_size (other), ==, 0);
  g_assert_cmpuint (dub_avcc_get_length_size (empty), ==, 0);
}

static void
test_hvcc_length_size (void)
{
  guint8 data[23] = {1};
  g_autoptr (GBytes) good = NULL;
  g_autoptr (GBytes) cut = g_bytes_new (data, 21);
  g_autoptr (GBytes) other = NULL;

  data[21] = 0x0f;
  good = g_bytes_new (data, sizeof data);
  data[0] = 0;
  other = g_bytes_new (data, sizeof data);
  g_assert_cmpuint (dub_hvcc_get_length_size (good), ==, 4);
  g_assert_cmpuint (dub_hvcc_get_length_size (cut), ==, 0);
  g_assert_cmpuint (dub_hvcc_get_length_size (other), ==, 0);
}

typedef struct {
  gboolean is_whole;
  guint length_size;
  guint8 size;
  guint8 data[12];
} WholeCase;

static const WholeCase whole_cases[] = {
    {TRUE, 4, 6, {0, 0, 0, 2, 0x65, 0x88}},
    {TRUE, 4, 11, {0, 0, 0, 2, 0x65, 0x88, 0, 0, 0, 1, 0x0c}},
    {TRUE, 2, 4, {0, 2, 0x65, 0x88}},
    {FALSE, 4, 0, {0}},
    {FALSE, 4, 5, {0, 0, 0, 2, 0x65}},                   /* cut */
    {FALSE, 4, 8, {0, 0, 0, 2, 0x65, 0x88, 0, 0}},       /* cut in a length */
    {FALSE, 4, 8, {0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}}, /* noise */
    {TRUE, 4, 10, {0, 0, 0, 0, 0, 0, 0, 2, 0x65, 0x88}}, /* an empty one */
    {FALSE, 4, 4, {0, 0, 0, 0}},
    {FALSE, 4, 3, {0, 0, 1}},
};

static void
test_whole (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (whole_cases); i++) {
    const WholeCase *c = &whole_cases[i];
    g_autoptr (GBytes) unit = g_bytes_new (c->data, c->size);

    g_test_message ("case %u", (guint) i);
    g_assert_cmpint (dub_avcc_is_whole (unit, c->length_size), ==, c->is_whole);
  }
}

static void
test_nothing_new (void)
{
  g_autoptr (GBytes) config = CONFIG;
  /* none in band; the same in band; an SPS alone; cut short; too long */
  GBytes *units[] = {
      BYTES (0, 0, 0, 2, 0x65, 0x88),
      BYTES (0, 0, 0, 5, 0x67, 0x64, 0, 0x1f, 0xaa, 0, 0, 0, 2, 0x68, 0xee, 0,
          0, 0, 1, 0x65),
      BYTES (0, 0, 0, 5, 0x67, 0x64, 0, 0x28, 0xbb),
      BYTES (0, 0, 0, 5, 0x67, 0x64),
      BYTES (0xff, 0xff, 0xff, 0xff, 0x67, 0x64, 0, 0x1f),
      g_bytes_new (NULL, 0),
  };

  for (gsize i = 0; i < G_N_ELEMENTS (units); i++) {
    g_assert_null (dub_avcc_update (config, units[i]));
    g_bytes_unref (units[i]);
  }
}

static void
test_new_sets (void)
{
  g_autoptr (GBytes) config = CONFIG;
  g_autoptr (GBytes) unit = BYTES (0, 0, 0, 2, 0x09, 0xf0, 0, 0, 0, 5, 0x67,
      0x4d, 0x40, 0x28, 0xbb, 0, 0, 0, 3, 0x68, 0xce, 0x01, 0, 0, 0, 1, 0x65);
  g_autoptr (GBytes) expected = BYTES (1, 0x4d, 0x40, 0x28, 0xff, 0xe1, 0, 5,
      0x67, 0x4d, 0x40, 0x28, 0xbb, 1, 0, 3, 0x68, 0xce, 0x01);
  g_autoptr (GBytes) made = dub_avcc_update (config, unit);

  g_assert_nonnull (made);
  g_assert_true (g_bytes_equal (made, expected));
  /* And now they are known. */
  g_assert_null (dub_avcc_update (made, unit));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/ingest/avcc/length-size", test_length_size);
  g_test_add_func (
      "/media/ingest/avcc/hvcc-length-size", test_hvcc_length_size);
  g_test_add_func ("/media/ingest/avcc/whole", test_whole);
  g_test_add_func ("/media/ingest/avcc/nothing-new", test_nothing_new);
  g_test_add_func ("/media/ingest/avcc/new-sets", test_new_sets);
  return g_test_run ();
}
