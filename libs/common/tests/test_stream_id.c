/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/stream_id.h>

static void
test_letters (void)
{
  static const char *const good[] = {"a", "a-B_9", "-", "5969d8cb-51c3"};
  static const char *const bad[] = {
      "", ".", "..", "a/b", "a b", "a.b", "a\nb", "a:b", "\303\244", "*"};

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (dub_stream_id_is_valid (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (dub_stream_id_is_valid (bad[i]));
  g_assert_false (dub_stream_id_is_valid (NULL));
}

static void
test_length (void)
{
  g_autofree char *longest = g_strnfill (DUB_STREAM_ID_MAX, 'x');
  g_autofree char *longer = g_strnfill (DUB_STREAM_ID_MAX + 1, 'x');

  g_assert_true (dub_stream_id_is_valid (longest));
  g_assert_false (dub_stream_id_is_valid (longer));
  g_assert_true (dub_stream_id_fits (longer, DUB_STREAM_ID_MAX + 1));
  g_assert_false (dub_stream_id_fits ("", 9));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/stream-id/letters", test_letters);
  g_test_add_func ("/common/stream-id/length", test_length);
  return g_test_run ();
}
