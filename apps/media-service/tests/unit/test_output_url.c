/* SPDX-License-Identifier: Apache-2.0 */
#include <media_service/output_url.h>

typedef struct {
  const char *url, *expected; /* NULL: there is no place */
} Case;

static void
test_cases (void)
{
  static const Case cases[] = {
      {"rtmp://h/live/a/out", "rtmp://h/live/a/out/es"},
      {"rtsps://h/a/out?user=u&pass=p/q", "rtsps://h/a/out/es?user=u&pass=p/q"},
      {"srt://h:1?streamid=publish:a/out",
          "srt://h:1?streamid=publish:a/out/es"},
      {"SRT://h:1?latency=20&streamid=publish:a/out:u:p&pbkeylen=16",
          "SRT://h:1?latency=20&streamid=publish:a/out/es:u:p&pbkeylen=16"},
      {"srt://h:1?streamid=publish%3Aa/out%3au%3Ap",
          "srt://h:1?streamid=publish%3Aa/out/es%3au%3Ap"},
      {"srt://h:1?streamid=%23!::m=publish,r=a/out,u=me&mode=caller",
          "srt://h:1?streamid=%23!::m=publish,r=a/out/es,u=me&mode=caller"},
      {"srt://h:1?streamid=%23%21%3A%3Ar%3Da%2Cm%3Dpublish",
          "srt://h:1?streamid=%23%21%3A%3Ar%3Da/es%2Cm%3Dpublish"},
      {"srt://h:1?streamid=%23!::r=a/out",
          "srt://h:1?streamid=%23!::r=a/out/es"},
      /* No path, or nobody knows which. */
      {"srt://h:1", NULL},
      {"srt://h:1?mode=caller", NULL},
      {"srt://h:1?streamid=", NULL},
      {"srt://h:1?streamid=publish:", NULL},
      {"srt://h:1?streamid=publish::u:p", NULL},
      {"srt://h:1?streamid=some-key", NULL},
      {"srt://h:1?streamid=%23!::m=publish,u=r=x", NULL},
      {"srt://h:1?streamid=%23!::r=,m=publish", NULL},
      {"srt://h:1?xstreamid=publish:a", NULL},
      {"srt://h:1/streamid=publish:a", NULL},
      {"srt:", NULL},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *first = dub_output_url_of_language (cases[i].url, NULL);
    g_autofree char *other = dub_output_url_of_language (cases[i].url, "es");

    g_assert_cmpstr (first, ==, cases[i].url);
    g_assert_cmpstr (other, ==, cases[i].expected);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/output-url/cases", test_cases);
  return g_test_run ();
}
