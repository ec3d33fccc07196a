/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/error.h"

#include <gio/gio.h>

static gboolean
is_retryable (GQuark domain, int code)
{
  g_autoptr (GError) error = g_error_new_literal (domain, code, "x");

  return dub_error_is_retryable (error);
}

static void
test_own_codes (void)
{
  for (int code = DUB_ERROR_NONE; code < DUB_ERROR_TIMEOUT; code++)
    g_assert_false (is_retryable (DUB_ERROR, code));
  for (int code = DUB_ERROR_TIMEOUT; code <= DUB_ERROR_ENGINE; code++)
    g_assert_true (is_retryable (DUB_ERROR, code));
  g_assert_false (is_retryable (DUB_ERROR, DUB_ERROR_ENGINE + 1));
  g_assert_false (dub_error_is_retryable (NULL));
}

static void
test_gio_codes (void)
{
  g_assert_true (is_retryable (G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED));
  g_assert_true (is_retryable (G_IO_ERROR, G_IO_ERROR_TIMED_OUT));
  g_assert_true (is_retryable (G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE));
  g_assert_true (is_retryable (G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND));
  g_assert_false (is_retryable (G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_assert_false (is_retryable (G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED));
  g_assert_false (is_retryable (G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE));
}

static void
test_names (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (int code = DUB_ERROR_NONE; code <= DUB_ERROR_ENGINE; code++)
    g_assert_true (g_hash_table_add (
        seen, (gpointer) dub_error_code_to_string ((DubErrorCode) code)));
  g_assert_false (g_hash_table_contains (seen, "unknown"));
  g_assert_cmpstr (
      dub_error_code_to_string ((DubErrorCode) 999), ==, "unknown");
  g_assert_cmpstr (g_quark_to_string (DUB_ERROR), ==, "dub_error");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/error/own-codes", test_own_codes);
  g_test_add_func ("/common/error/gio-codes", test_gio_codes);
  g_test_add_func ("/common/error/names", test_names);
  return g_test_run ();
}
