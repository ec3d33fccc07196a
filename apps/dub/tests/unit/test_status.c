/* SPDX-License-Identifier: Apache-2.0 */
#include "status/table.h"

#include <dubbing_common/error.h>
#include <string.h>

static void
test_table (void)
{
  g_autofree char *text = dub_status_table (
      "{\"streams\": [{\"stream_id\": \"studio\", \"state\": \"running\", "
      "\"worker_state\": \"source_lost\", \"restarts\": 2, \"degraded\": "
      "true}, {\"stream_id\": 7}, 3]}",
      NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_assert_cmpuint (g_strv_length (lines), ==, 4);
  g_assert_cmpstr (lines[1], ==,
      "studio                   running    source_lost         2  degraded");
  g_assert_true (g_str_has_prefix (lines[2], "-  "));
}

static void
test_no_streams (void)
{
  g_autofree char *text = dub_status_table ("[]", NULL);

  g_assert_cmpstr (text, ==, "no streams\n");
}

static void
test_refuses (void)
{
  static const char *const texts[] = {"", "{}", "7", "{\"streams\": 1}"};

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (dub_status_table (texts[i], &error));
    g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dub/status/table", test_table);
  g_test_add_func ("/dub/status/no-streams", test_no_streams);
  g_test_add_func ("/dub/status/refuses", test_refuses);
  return g_test_run ();
}
