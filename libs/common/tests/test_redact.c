/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/log.h"

typedef struct {
  const char *url, *shown;
} Case;

static const Case cases[] = {
    {NULL, "(none)"},
    {"", ""},
    {"/a/file.mp4", "/a/file.mp4"},
    {"rtmp://h:1935/live/demo/in", "rtmp://h:1935/live/demo/in"},
    {"rtmp://h/live/demo/out", "rtmp://h/live/demo/out"},
    {"rtmp://h/live/demo/out/es", "rtmp://h/live/demo/out/es"},
    {"rtmp://h/live/demo/keys", "rtmp://h/live/demo/***"},
    {"rtmp://h/live/demo/key", "rtmp://h/live/***"}, /* or a language */
    {"rtmp://h/live2/abcd-1234", "rtmp://h/live2/***"},
    {"rtmp://h/live2/abcd-1234/es", "rtmp://h/live2/***"},
    {"rtmp://h/live2/abcd-1234/pt-BR?a=b", "rtmp://h/live2/***?a=***"},
    {"rtmp://h/live2/extra/abcd-1234", "rtmp://h/live2/extra/***"},
    {"rtmp://h/app/es", "rtmp://h/app/***"},
    {"RTMPS://h:443/rtmp/FB-1?s=1&a=2", "RTMPS://h:443/rtmp/***?s=***&a=***"},
    {"rtmp://h/app/key live=1", "rtmp://h/app/***"},
    {"rtmp://h/live/x/in\n", "rtmp://h/live/x/***"},
    {"rtmp://h/app/", "rtmp://h/app/"},
    {"rtmp://h", "rtmp://h"},
    {"rtsp://u:p@h:8554/live/a/in", "rtsp://***@h:8554/live/a/in"},
    {"rtsp://h:554/app/key", "rtsp://h:554/app/***"},
    {"rtsp://u@h/x", "rtsp://***@h/***"},
    {"rtsp://u:p@ss@h/x", "rtsp://***@h/***"},
    {"rtsp://u:p/a#s?s@h/x", "rtsp://***@h/***"},
    {"http://h/@me/x", "http://h/@me/x"},
    {"http://[::1]:80/@me", "http://[::1]:80/@me"},
    {"http://h:3000/socket.io/?token=T&EIO=4",
        "http://h:3000/socket.io/?token=***&EIO=***"},
    {"https://h/x?SECRET", "https://h/x?***"},
    {"https://h/x?a=b=c;d", "https://h/x?a=***;***"},
    {"https://h/x?", "https://h/x?"},
    {"https://h/x?a=1#frag", "https://h/x?a=***#***"},
    {"https://h#frag?a=1", "https://h#***"},
    {"srt://h:8890?streamid=publish:k&passphrase=p&latency=200",
        "srt://h:8890?streamid=***&passphrase=***&latency=***"},
    {"srt://h:8890?streamid=#!::r=k,m=publish",
        "srt://h:8890?streamid=***#***"},
};

static void
test_redact (gconstpointer data)
{
  const Case *c = data;
  g_autofree char *shown = dub_redact_url (c->url);

  g_assert_cmpstr (shown, ==, c->shown);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/common/redact/%" G_GSIZE_FORMAT, i);

    g_test_add_data_func (path, &cases[i], test_redact);
  }
  return g_test_run ();
}
