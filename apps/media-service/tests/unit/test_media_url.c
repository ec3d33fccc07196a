/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/media_url.h"

#include <dubbing_common/log.h>
#include <string.h>

static const DubServiceSettings open_server = {.mediamtx_host = (char *) "h",
    .mediamtx_rtmp_port = 1935,
    .mediamtx_rtsp_port = 8554};

static void
expect (const DubServiceSettings *settings, DubIngestWay protocol,
    const char *wanted)
{
  g_autofree char *url = dub_media_url (settings, "a", "in", protocol);

  g_assert_cmpstr (url, ==, wanted);
}

static void
test_open (void)
{
  DubServiceSettings v6 = open_server;

  v6.mediamtx_host = (char *) "::1";
  expect (&open_server, DUB_INGEST_BY_RTMP, "rtmp://h:1935/live/a/in");
  expect (&open_server, DUB_INGEST_BY_RTSP, "rtsp://h:8554/live/a/in");
  expect (&v6, DUB_INGEST_BY_RTMP, "rtmp://[::1]:1935/live/a/in");
  g_assert_null (dub_media_api_authorization (&open_server));
}

static void
test_user (void)
{
  DubServiceSettings settings = open_server;
  g_autofree char *authorization = NULL;
  g_autofree char *url = NULL;
  g_autofree char *shown = NULL;

  settings.mediamtx_user = (char *) "dub";
  settings.mediamtx_password = (char *) "p/s&s?w@rd";
  expect (&settings, DUB_INGEST_BY_RTMP,
      "rtmp://h:1935/live/a/in?user=dub&pass=p%2Fs%26s%3Fw%40rd");
  expect (&settings, DUB_INGEST_BY_RTSP,
      /* pragma: allowlist nextline secret */
      "rtsp://dub:p%2Fs%26s%3Fw%40rd@h:8554/live/a/in");
  authorization = dub_media_api_authorization (&settings);
  g_assert_cmpstr (authorization, ==, "Basic ZHViOnAvcyZzP3dAcmQ=");
  url = dub_media_url (&settings, "a", "out", DUB_INGEST_BY_RTMP);
  shown = dub_redact_url (url);
  g_assert_cmpstr (shown, ==, "rtmp://h:1935/live/a/out?user=***&pass=***");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/media-url/open", test_open);
  g_test_add_func ("/media/media-url/user", test_user);
  return g_test_run ();
}
