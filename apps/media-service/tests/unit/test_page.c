/* SPDX-License-Identifier: Apache-2.0 */
#include "api/page.h"

#include <string.h>

typedef struct {
  const char *name, *accept;
  gboolean is_wanted;
} Wish;

static const Wish wishes[] = {
    {"nothing-said", NULL, FALSE},
    {"curl", "*/*", FALSE},
    {"json", "application/json", FALSE},
    {"browser",
        "text/html,application/xhtml+xml,application/xml;q=0.9,"
        "image/avif,*/*;q=0.8",
        TRUE},
    {"json-rather", "text/html;q=0.5, application/json", FALSE},
    {"html-rather", "application/json;q=0.5, text/html", TRUE},
    {"not-html", "text/html;q=0, application/json", FALSE},
    {"garbage", ",;q=;;,\"", FALSE},
};

static void
test_wanted (gconstpointer data)
{
  const Wish *wish = data;

  g_assert_cmpint (dub_page_is_wanted (wish->accept), ==, wish->is_wanted);
}

typedef struct {
  const char *name, *set, *mediamtx_host, *asked_host, *url;
} Place;

static const Place places[] = {
    {"as-set", "https://play.example.org/hls/", "127.0.0.1", "x.org",
        "https://play.example.org/hls"},
    {"this-machine", NULL, "127.0.0.1", "127.0.0.1", "http://127.0.0.1:8888"},
    {"browser-elsewhere", NULL, "localhost", "dub.example.org",
        "http://dub.example.org:8888"},
    {"browser-elsewhere-v6", NULL, "::1", "2001:db8::1",
        "http://[2001:db8::1]:8888"},
    {"server-elsewhere", NULL, "media.example.org", "dub.example.org",
        "http://media.example.org:8888"},
    {"nobody-known", NULL, "127.0.0.1", NULL, "http://127.0.0.1:8888"},
    {"odd-host", NULL, "127.0.0.1", "a;script-src *", "http://127.0.0.1:8888"},
};

static void
test_media_url (gconstpointer data)
{
  const Place *place = data;
  DubServiceSettings settings = {
      .mediamtx_host = (char *) place->mediamtx_host,
      .mediamtx_hls_url = (char *) place->set,
  };
  g_autofree char *url = dub_page_get_hls_url (&settings, place->asked_host);

  g_assert_cmpstr (url, ==, place->url);
}

static void
test_webrtc_url (void)
{
  DubServiceSettings settings = {.mediamtx_host = (char *) "127.0.0.1"};
  g_autofree char *url = dub_page_get_webrtc_url (&settings, NULL);

  g_assert_cmpstr (url, ==, "http://127.0.0.1:8889");
}

static void
test_rtmp_url (void)
{
  DubServiceSettings settings = {.mediamtx_host = (char *) "127.0.0.1"};
  g_autofree char *url =
      dub_page_get_media_url (&settings, "dub.example.org", "rtmp", 1935);

  g_assert_cmpstr (url, ==, "rtmp://dub.example.org:1935");
}

/* Only origins of the media server are added to our own. */
static void
test_policy (void)
{
  g_autofree char *policy = dub_page_get_policy (
      "https://play.example.org/hls", "http://127.0.0.1:8889");

  g_assert_nonnull (strstr (policy, "default-src 'none'; script-src 'self';"));
  g_assert_nonnull (strstr (policy, " style-src 'self';"));
  g_assert_nonnull (strstr (policy, "frame-src https://play.example.org;"));
  g_assert_nonnull (strstr (policy, "connect-src 'self' http://127.0.0.1:8889 "
                                    "https://play.example.org;"));
  g_assert_null (strstr (policy, "unsafe"));
  g_assert_null (strstr (policy, "/hls"));
}

static void
add_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (wishes); i++) {
    g_autofree char *path =
        g_strconcat ("/media/page/wanted/", wishes[i].name, NULL);

    g_test_add_data_func (path, &wishes[i], test_wanted);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autofree char *path =
        g_strconcat ("/media/page/media-url/", places[i].name, NULL);

    g_test_add_data_func (path, &places[i], test_media_url);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_cases ();
  g_test_add_func ("/media/page/webrtc-url", test_webrtc_url);
  g_test_add_func ("/media/page/rtmp-url", test_rtmp_url);
  g_test_add_func ("/media/page/policy", test_policy);
  return g_test_run ();
}
