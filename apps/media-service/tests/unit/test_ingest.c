/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/ingest.h"

#include <dubbing_common/error.h>
#include <gio/gio.h>
#include <gst/gst.h>
#include <media_service/retry.h>
#include <string.h>

typedef struct {
  GMainLoop *loop;
  GPtrArray *errors; /* of char *: the message at each WAITING or FAILED */
  DubIngestState last;
} Watch;

static void
on_state (DubIngestState state, const GError *error, gpointer user_data)
{
  Watch *watch = user_data;

  watch->last = state;
  if (error)
    g_ptr_array_add (watch->errors, g_strdup (error->message));
  if (state == DUB_INGEST_FAILED || state == DUB_INGEST_ENDED)
    g_main_loop_quit (watch->loop);
}

static void
watch_init (Watch *watch)
{
  watch->loop = g_main_loop_new (NULL, FALSE);
  watch->errors = g_ptr_array_new_with_free_func (g_free);
  watch->last = DUB_INGEST_STATE_NONE;
}

static void
watch_clear (Watch *watch)
{
  g_main_loop_unref (watch->loop);
  g_ptr_array_unref (watch->errors);
}

static void
test_waits (void)
{
  static const guint expected[] = {250, 500, 1000, 2000, 2000, 2000};

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    g_assert_cmpuint (dub_retry_wait_ms (i), ==, expected[i]);
  g_assert_cmpuint (dub_retry_wait_ms (G_MAXUINT), ==, 2000);
}

typedef struct {
  const char *url;
  int code; /* 0: taken */
  const char *text;
} UrlCase;

static void
test_urls (void)
{
  static const UrlCase cases[] = {
      {"rtmp://127.0.0.1/live/a/in", 0, NULL},
      {"RTMP://127.0.0.1/live/a/in", 0, NULL},
      {"rtmps://127.0.0.1/live/a/in", 0, NULL},
      {"file:///tmp/a.flv", 0, NULL},
      {"", DUB_ERROR_INVALID, "cannot be empty"},
      {"http://h/s3cr3t?k=s3cr3t", DUB_ERROR_UNSUPPORTED, "must start with"},
      {"live/a/in", DUB_ERROR_UNSUPPORTED, "must start with"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (DubQueue) queue = dub_ingest_queue_new ();
    g_autoptr (GError) error = NULL;
    g_autoptr (DubIngest) ingest = NULL;
    DubIngestOptions options;

    dub_ingest_options_init (&options);
    options.url = cases[i].url;
    ingest = dub_ingest_new (&options, queue, on_state, NULL, &error);
    g_assert_cmpint (ingest != NULL, ==, cases[i].code == 0);
    if (!cases[i].code)
      continue;
    g_assert_error (error, DUB_ERROR, cases[i].code);
    g_assert_nonnull (strstr (error->message, cases[i].text));
    g_assert_null (strstr (error->message, "=s3cr3t"));
  }
}

/* A port that nobody listens at. */
static guint16
closed_port (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  g_socket_listener_close (listener);
  return port;
}

/* Retried within the grace period, then given up; the key is never named. */
static void
test_refused (void)
{
  g_autoptr (DubQueue) queue = dub_ingest_queue_new ();
  g_autofree char *url =
      g_strdup_printf ("rtmp://127.0.0.1:%u/app/s3cr3t", closed_port ());
  g_autoptr (DubIngest) ingest = NULL;
  DubIngestItem *item;
  DubIngestItemKind last = DUB_INGEST_ITEM_NONE;
  DubIngestOptions options;
  Watch watch;

  watch_init (&watch);
  dub_ingest_options_init (&options);
  options.url = url;
  options.grace_ms = 1000;
  ingest = dub_ingest_new (&options, queue, on_state, &watch, NULL);
  dub_ingest_start (ingest);
  g_main_loop_run (watch.loop);

  g_assert_cmpint (watch.last, ==, DUB_INGEST_FAILED);
  /* At once, after 0.25 s, after 0.5 s more; the next would be too late. */
  g_assert_cmpuint (dub_ingest_get_n_connections (ingest), >=, 2);
  g_assert_cmpuint (dub_ingest_get_n_connections (ingest), <=, 3);
  for (guint i = 0; i < watch.errors->len; i++) {
    const char *message = g_ptr_array_index (watch.errors, i);

    g_test_message ("%s", message);
    g_assert_nonnull (strstr (message, "/app/***"));
    g_assert_nonnull (strstr (message, "refused"));
    g_assert_null (strstr (message, "s3cr3t"));
  }
  while ((item = dub_queue_pop (queue))) {
    last = item->kind;
    dub_ingest_item_free (item);
  }
  g_assert_cmpint (last, ==, DUB_INGEST_ITEM_END);
  watch_clear (&watch);
}

/* A server that takes the connection and says nothing: our watchdog ends it. */
static void
test_silent_server (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree char *url =
      g_strdup_printf ("rtmp://127.0.0.1:%u/live/a/in", port);
  g_autoptr (DubQueue) queue = dub_ingest_queue_new ();
  g_autoptr (DubIngest) ingest = NULL;
  DubIngestOptions options;
  Watch watch;

  watch_init (&watch);
  dub_ingest_options_init (&options);
  options.url = url;
  options.silence_ms = 300;
  options.grace_ms = 0;
  ingest = dub_ingest_new (&options, queue, on_state, &watch, NULL);
  dub_ingest_start (ingest);
  g_main_loop_run (watch.loop);

  g_assert_cmpint (watch.last, ==, DUB_INGEST_FAILED);
  g_assert_cmpuint (watch.errors->len, ==, 1);
  g_assert_nonnull (
      strstr (g_ptr_array_index (watch.errors, 0), "no packet from rtmp://"));
  watch_clear (&watch);
}

/* Stopped in the middle of a retry: END, and nothing runs afterwards. */
static void
test_stop (void)
{
  g_autoptr (DubQueue) queue = dub_ingest_queue_new ();
  g_autofree char *url =
      g_strdup_printf ("rtmp://127.0.0.1:%u/live/a/in", closed_port ());
  g_autoptr (DubIngest) ingest = NULL;
  DubIngestOptions options;
  Watch watch;

  watch_init (&watch);
  dub_ingest_options_init (&options);
  options.url = url;
  ingest = dub_ingest_new (&options, queue, on_state, &watch, NULL);
  dub_ingest_start (ingest);
  while (watch.last != DUB_INGEST_WAITING)
    g_main_context_iteration (NULL, TRUE);
  dub_ingest_stop (ingest);
  dub_ingest_reconnect_now (ingest);
  g_assert_cmpuint (dub_ingest_get_n_connections (ingest), ==, 1);
  watch_clear (&watch);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/ingest/waits", test_waits);
  g_test_add_func ("/media/ingest/urls", test_urls);
  g_test_add_func ("/media/ingest/refused", test_refused);
  g_test_add_func ("/media/ingest/silent-server", test_silent_server);
  g_test_add_func ("/media/ingest/stop", test_stop);
  return g_test_run ();
}
