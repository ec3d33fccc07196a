/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/publisher.h"

#include <dubbing_common/error.h>
#include <gio/gio.h>
#include <gst/gst.h>
#include <string.h>

typedef struct {
  DubPublisherState state;
  guint n_lost;
  char *message; /* the last one */
} Watch;

static void
on_state (DubPublisherState state, const GError *error, gpointer user_data)
{
  Watch *watch = user_data;

  watch->state = state;
  if (state == DUB_PUBLISHER_WAITING)
    watch->n_lost++;
  if (error) {
    g_free (watch->message);
    watch->message = g_strdup (error->message);
  }
}

static void
push (DubPublisher *publisher, DubFlvTag *tag)
{
  dub_publisher_push (publisher, tag);
  dub_flv_tag_unref (tag);
}

static void
push_config (DubPublisher *publisher)
{
  g_autoptr (GBytes) avcc = g_bytes_new_static ("\x01\x64\x00\x1f", 4);
  g_autoptr (GBytes) config = g_bytes_new_static ("\x11\x90", 2);

  push (publisher, dub_flv_tag_new_metadata (DUB_VIDEO_CODEC_H264, 0));
  push (publisher, dub_flv_tag_new_sound_config (config, 0));
  push (
      publisher, dub_flv_tag_new_video_config (DUB_VIDEO_CODEC_H264, avcc, 0));
}

static void
push_picture (DubPublisher *publisher, gint64 ms, gboolean is_key)
{
  g_autoptr (DubAccessUnit) unit = dub_access_unit_new (DUB_VIDEO_CODEC_H264,
      g_bytes_new_static ("\0\0\0\1\x65", 5), NULL, ms * DUB_NS_PER_MS,
      ms * DUB_NS_PER_MS, is_key);

  push (publisher, dub_flv_tag_new_video (unit));
}

static guint
connections_of (DubPublisher *publisher)
{
  DubPublisherStats stats;

  dub_publisher_get_stats (publisher, &stats);
  return stats.n_connections;
}

static guint16
closed_port (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  g_socket_listener_close (listener);
  return port;
}

typedef struct {
  const char *url;
  int code; /* 0: taken */
} UrlCase;

static void
test_urls (void)
{
  static const UrlCase cases[] = {
      {"rtmp://127.0.0.1/live/a/out", 0},
      {"rtmps://127.0.0.1/live/a/out", 0},
      {"", DUB_ERROR_INVALID},
      {"srt://127.0.0.1", DUB_ERROR_UNSUPPORTED},
      {"file:///tmp/x.flv", DUB_ERROR_UNSUPPORTED},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_cmpint (
        dub_publisher_check_url (cases[i].url, &error), ==, cases[i].code == 0);
    if (cases[i].code)
      g_assert_error (error, DUB_ERROR, cases[i].code);
  }
}

/* Nothing is tried before there is a key frame; a refused connection is told
 * without its key, and tried again at the first key frame after its time. */
static void
test_refused (void)
{
  g_autofree char *url =
      g_strdup_printf ("rtmp://127.0.0.1:%u/app/s3cr3t", closed_port ());
  Watch watch = {0};
  g_autoptr (DubPublisher) publisher =
      dub_publisher_new (url, FALSE, on_state, &watch, NULL);
  DubPublisherStats stats;

  push_config (publisher);
  push_picture (publisher, 0, FALSE);
  g_assert_cmpuint (connections_of (publisher), ==, 0);

  push_picture (publisher, 40, TRUE);
  g_assert_cmpuint (connections_of (publisher), ==, 1);
  while (watch.n_lost < 1)
    g_main_context_iteration (NULL, TRUE);
  g_test_message ("%s", watch.message);
  g_assert_nonnull (strstr (watch.message, "/app/***"));
  g_assert_nonnull (strstr (watch.message, "refused"));
  g_assert_null (strstr (watch.message, "s3cr3t"));
  dub_publisher_get_stats (publisher, &stats);
  g_assert_cmpint (stats.lost_since_ns, !=, DUB_TIME_NONE);

  /* Not a key frame. */
  g_usleep (260 * 1000);
  push_picture (publisher, 80, FALSE);
  g_assert_cmpuint (connections_of (publisher), ==, 1);
  push_picture (publisher, 120, TRUE);
  g_assert_cmpuint (connections_of (publisher), ==, 2);
  while (watch.n_lost < 2)
    g_main_context_iteration (NULL, TRUE);
  g_free (watch.message);
}

/* A server that takes the connection and then nothing. */
static void
test_stalled (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree char *url =
      g_strdup_printf ("rtmp://127.0.0.1:%u/live/a/out", port);
  Watch watch = {0};
  g_autoptr (DubPublisher) publisher =
      dub_publisher_new (url, FALSE, on_state, &watch, NULL);

  push_config (publisher);
  /* Never blocks, and 3 s of stream that wait are enough. */
  for (guint i = 0; i < 100; i++)
    push_picture (publisher, i * 40, i % 25 == 0);
  while (watch.n_lost < 1)
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (strstr (watch.message, "takes nothing"));
  g_free (watch.message);
}

static void
test_finish (void)
{
  g_autofree char *url =
      g_strdup_printf ("rtmp://127.0.0.1:%u/live/a/out", closed_port ());
  Watch watch = {0};
  g_autoptr (DubPublisher) publisher =
      dub_publisher_new (url, FALSE, on_state, &watch, NULL);

  dub_publisher_finish (publisher, 2000);
  while (watch.state != DUB_PUBLISHER_ENDED)
    g_main_context_iteration (NULL, TRUE);
  push_config (publisher);
  push_picture (publisher, 0, TRUE);
  g_assert_cmpuint (connections_of (publisher), ==, 0);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/publish/publisher/urls", test_urls);
  g_test_add_func ("/media/publish/publisher/refused", test_refused);
  g_test_add_func ("/media/publish/publisher/stalled", test_stalled);
  g_test_add_func ("/media/publish/publisher/finish", test_finish);
  return g_test_run ();
}
