/* SPDX-License-Identifier: Apache-2.0 */
#include "programs/http.h"

/* Port 3000 is everybody's: a web page there is no speech service. */
static void
test_names (void)
{
  static const struct {
    const char *body;
    gboolean is_ours;
  } cases[] = {
      {"{\"status\": \"healthy\", \"service\": \"full-sts-service\"}", TRUE},
      {"{\"service\": \"echo-sts\"}", TRUE},
      {"{\"service\": \"media-service\"}", FALSE},
      {"{\"service\": 3}", FALSE},
      {"{\"service\": {\"sts\": 1}}", FALSE},
      {"{\"status\": \"ok\"}", FALSE},
      {"[\"sts\"]", FALSE},
      {"<!doctype html><title>sts</title>", FALSE},
      {"\xff\xfe", FALSE},
      {"", FALSE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (
        dub_http_names_service (cases[i].body, "sts"), ==, cases[i].is_ours);
}

static void
test_reason (void)
{
  g_autofree char *reason = dub_http_reason (
      "{\"status\": \"unavailable\", \"reason\": \"engine x: it ended\"}");

  g_assert_cmpstr (reason, ==, "engine x: it ended");
  g_assert_null (dub_http_reason ("{\"status\": \"ok\"}"));
  g_assert_null (dub_http_reason ("Bad gateway"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dub/http/names", test_names);
  g_test_add_func ("/dub/http/reason", test_reason);
  return g_test_run ();
}
