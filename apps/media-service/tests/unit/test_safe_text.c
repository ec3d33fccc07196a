/* SPDX-License-Identifier: Apache-2.0 */
#include <media_service/safe_text.h>

typedef struct {
  const char *text, *url, *expected;
} Case;

static void
test_cases (void)
{
  static const Case cases[] = {
      {"cannot open rtmp://h/app/s3cr3t: refused", "rtmp://h/app/s3cr3t",
          "cannot open rtmp://h/app/***: refused"},
      {"stream 's3cr3t/es' at rtmp://h/app/s3cr3t/es", "rtmp://h/app/s3cr3t/es",
          "stream '***/es' at rtmp://h/app/***"},
      {"stream 's3cr3t' not found", "rtmp://h/app/s3cr3t",
          "stream '***' not found"},
      {"stream 'in' not found, path live/a/in", "rtmp://h/live/a/in",
          "stream 'in' not found, path live/a/in"},
      {"in?pass=s3cr3t was refused", "rtmp://h/live/a/in?pass=s3cr3t",
          "*** was refused"},
      {"user dub with s3+cr3t of s3%2Bcr3t",
          "rtmp://h/live/a/in?user=dub&pass=s3%2Bcr3t",
          "user dub with *** of ***"},
      {"a bad day", "rtmp://h/app/a", "a bad day"},
      {"nothing", "rtmp:", "nothing"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *safe = dub_safe_text (cases[i].text, cases[i].url);

    g_assert_cmpstr (safe, ==, cases[i].expected);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/safe-text/cases", test_cases);
  return g_test_run ();
}
