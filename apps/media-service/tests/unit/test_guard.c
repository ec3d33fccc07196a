/* SPDX-License-Identifier: Apache-2.0 */
#include "api/guard.h"

typedef struct {
  DubAccess access;
  const char *host, *origin, *authorization;
  guint status;
} Case;

static void
check (const DubServiceSettings *settings, const Case *cases, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    const char *const headers[] = {
        cases[i].host, cases[i].origin, cases[i].authorization};
    const char *why = NULL;

    g_test_message ("case %" G_GSIZE_FORMAT, i);
    g_assert_cmpuint (
        dub_guard_judge (settings, cases[i].access, headers, &why), ==,
        cases[i].status);
    g_assert_cmpint (why == NULL, ==, cases[i].status == 0);
  }
}

/* Without a token all is open to this machine, and to it alone. */
static void
test_no_token (void)
{
  static const Case cases[] = {
      {DUB_ACCESS_API, "127.0.0.1:8080", NULL, NULL, 0},
      {DUB_ACCESS_API, "localhost", NULL, NULL, 0},
      {DUB_ACCESS_API, "LOCALHOST:80", NULL, NULL, 0},
      {DUB_ACCESS_API, "[::1]:8080", NULL, NULL, 0},
      {DUB_ACCESS_HOOK, NULL, NULL, NULL, 0},
      {DUB_ACCESS_METRICS, "127.0.0.1", NULL, NULL, 0},
      /* A stranger's name that was made to mean 127.0.0.1. */
      {DUB_ACCESS_API, "rebind.example:8080", NULL, NULL, 403},
      {DUB_ACCESS_OPEN, "rebind.example", NULL, NULL, 403},
      {DUB_ACCESS_API, "127.0.0.1.example", NULL, NULL, 403},
      {DUB_ACCESS_API, "", NULL, NULL, 403},
      /* A stranger's page, in a browser on this machine. */
      {DUB_ACCESS_API, "127.0.0.1:8080", "http://evil.example", NULL, 403},
      {DUB_ACCESS_HOOK, "127.0.0.1:8080", "http://127.0.0.1:9", NULL, 403},
      {DUB_ACCESS_API, "127.0.0.1:8080", "null", NULL, 403},
      {DUB_ACCESS_API, NULL, "http://127.0.0.1:8080", NULL, 403},
      /* Our own page. */
      {DUB_ACCESS_API, "127.0.0.1:8080", "http://127.0.0.1:8080", NULL, 0},
  };
  const DubServiceSettings settings = {0};

  check (&settings, cases, G_N_ELEMENTS (cases));
}

static void
test_tokens (void)
{
  static const Case cases[] = {
      {DUB_ACCESS_OPEN, "dub.example", NULL, NULL, 0},
      {DUB_ACCESS_API, "dub.example", NULL, NULL, 401},
      {DUB_ACCESS_API, "127.0.0.1", NULL, NULL, 401},
      {DUB_ACCESS_API, "dub.example", NULL, "Bearer api-token", 0},
      {DUB_ACCESS_API, "dub.example", NULL, "Bearer hook-token", 401},
      {DUB_ACCESS_API, "dub.example", NULL, "Bearer metrics-token", 401},
      {DUB_ACCESS_HOOK, "dub.example", NULL, NULL, 401},
      {DUB_ACCESS_HOOK, "dub.example", NULL, "Bearer hook-token", 0},
      {DUB_ACCESS_HOOK, "dub.example", NULL, "Bearer api-token", 0},
      {DUB_ACCESS_HOOK, "dub.example", NULL, "Bearer metrics-token", 401},
      {DUB_ACCESS_METRICS, "dub.example", NULL, NULL, 401},
      {DUB_ACCESS_METRICS, "dub.example", NULL, "Bearer metrics-token", 0},
      {DUB_ACCESS_METRICS, "dub.example", NULL, "Bearer api-token", 0},
      {DUB_ACCESS_METRICS, "dub.example", NULL, "Bearer hook-token", 401},
      {DUB_ACCESS_METRICS, "dub.example", NULL, "Basic metrics-token", 401},
      {DUB_ACCESS_API, "dub.example", "https://dub.example", "Bearer api-token",
          0},
      {DUB_ACCESS_API, "dub.example", "https://evil.example",
          "Bearer api-token", 403},
  };
  const DubServiceSettings settings = {.api_token = (char *) "api-token",
      .metrics_token = (char *) "metrics-token",
      .hook_token = (char *) "hook-token"};

  check (&settings, cases, G_N_ELEMENTS (cases));
}

/* A token of its own closes what it is for, and nothing else. */
static void
test_metrics_token_alone (void)
{
  static const Case cases[] = {
      {DUB_ACCESS_METRICS, "127.0.0.1", NULL, NULL, 401},
      {DUB_ACCESS_METRICS, "127.0.0.1", NULL, "Bearer metrics-token", 0},
      {DUB_ACCESS_API, "127.0.0.1", NULL, NULL, 0},
  };
  const DubServiceSettings settings = {
      .metrics_token = (char *) "metrics-token"};

  check (&settings, cases, G_N_ELEMENTS (cases));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/guard/no-token", test_no_token);
  g_test_add_func ("/media/guard/tokens", test_tokens);
  g_test_add_func (
      "/media/guard/metrics-token-alone", test_metrics_token_alone);
  return g_test_run ();
}
