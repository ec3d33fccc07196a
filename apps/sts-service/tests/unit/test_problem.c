/* SPDX-License-Identifier: Apache-2.0 */
#include "server/problem.h"

/* What a client of HTTP makes of a code of the protocol. */
static void
test_status (void)
{
  static const struct {
    const char *code;
    gboolean is_retryable;
    guint status;
  } cases[] = {
      {DUB_CODE_AUTH_FAILED, FALSE, 401},
      {DUB_CODE_MALFORMED_DATA, FALSE, 400},
      {DUB_CODE_INVALID_CONFIG, FALSE, 400},
      {DUB_CODE_FRAGMENT_TOO_LARGE, FALSE, 413},
      {DUB_CODE_TIMEOUT, TRUE, 504},
      {DUB_CODE_MODEL_ERROR, TRUE, 503},
      {DUB_CODE_QUEUE_FULL, TRUE, 503},
      {DUB_CODE_ASR_FAILED, FALSE, 422},
      {DUB_CODE_UNSUPPORTED_LANGUAGE, FALSE, 422},
      {"OF_TOMORROW", FALSE, 422},
      {"OF_TOMORROW", TRUE, 503},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpuint (
        dub_problem_status_for (cases[i].code, cases[i].is_retryable), ==,
        cases[i].status);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/problem/status", test_status);
  return g_test_run ();
}
