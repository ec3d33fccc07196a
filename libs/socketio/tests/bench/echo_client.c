/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The load of bench-socketio, the same for every server: so many clients, each
 * with one message of bytes under way that is acknowledged with the same bytes.
 *
 *   socketio-bench-client URL CLIENTS MESSAGES SIZE
 *
 * It says "connected", waits for a line, runs, and says
 * "done MESSAGES SECONDS P50_US P95_US".
 */
#include <dubbing_socketio/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  GMainLoop *loop;
  GBytes *bytes;
  guint wanted; /* messages in all */
  guint sent, answered, connected, n_clients;
  GArray *round_trips_us; /* of gint64 */
} Bench;

typedef struct {
  Bench *bench;
  DubSioClient *client;
  gint64 sent_us;
} Peer;

static void send_next (Peer *peer);

static void
die (const char *what)
{
  fprintf (stderr, "socketio-bench-client: %s\n", what);
  exit (1);
}

/* A server that answers with anything else is not measured. */
static void
check_answer (Bench *bench, DubSioMessage *answer)
{
  GBytes *bytes = NULL;

  if (answer == NULL)
    die ("connection lost");
  if (dub_sio_message_get_n_args (answer) == 1)
    bytes = dub_sio_message_get_binary (
        answer, dub_sio_message_get_arg (answer, 0));
  if (bytes == NULL || !g_bytes_equal (bytes, bench->bytes))
    die ("another answer than what was sent");
}

static void
on_answer (DubSioMessage *answer, gpointer user_data)
{
  Peer *peer = user_data;
  Bench *bench = peer->bench;
  gint64 took_us = g_get_monotonic_time () - peer->sent_us;

  check_answer (bench, answer);
  g_array_append_val (bench->round_trips_us, took_us);
  if (++bench->answered == bench->wanted)
    g_main_loop_quit (bench->loop);
  else
    send_next (peer);
}

static void
send_next (Peer *peer)
{
  Bench *bench = peer->bench;
  DubSioMessage *message;

  if (bench->sent == bench->wanted)
    return;
  bench->sent++;
  message = dub_sio_message_new ("message-with-ack");
  dub_sio_message_add_arg (
      message, dub_sio_message_add_binary (message, bench->bytes));
  peer->sent_us = g_get_monotonic_time ();
  if (!dub_sio_client_emit_with_ack (peer->client, message, on_answer, peer))
    die ("cannot send");
}

static void
on_connect (DubSioClient *client, gpointer user_data)
{
  Bench *bench = ((Peer *) user_data)->bench;

  if (++bench->connected == bench->n_clients)
    g_main_loop_quit (bench->loop);
}

static void
on_close (DubSioClient *client, const GError *error, gpointer user_data)
{
  die (error->message);
}

static Peer *
make_peers (Bench *bench, const char *url)
{
  static const DubSioClientHandlers handlers = {
      .on_connect = on_connect, .on_close = on_close};
  Peer *peers = g_new0 (Peer, bench->n_clients);
  g_autoptr (GError) error = NULL;
  DubSioClientOptions options;

  dub_sio_client_options_init (&options);
  options.connect_timeout_ms = 20000;
  for (guint i = 0; i < bench->n_clients; i++) {
    peers[i].bench = bench;
    peers[i].client =
        dub_sio_client_new (url, &options, &handlers, &peers[i], &error);
    if (peers[i].client == NULL)
      die (error->message);
    dub_sio_client_connect (peers[i].client);
  }
  return peers;
}

static void
run (Bench *bench, Peer *peers, guint messages)
{
  bench->wanted = messages;
  bench->sent = bench->answered = 0;
  g_array_set_size (bench->round_trips_us, 0);
  for (guint i = 0; i < bench->n_clients; i++)
    send_next (&peers[i]);
  g_main_loop_run (bench->loop);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static void
report (Bench *bench, gint64 took_us)
{
  GArray *all = bench->round_trips_us;

  g_array_sort (all, compare);
  printf ("done %u %.6f %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n",
      bench->answered, (double) took_us / G_USEC_PER_SEC,
      g_array_index (all, gint64, all->len / 2),
      g_array_index (all, gint64, all->len * 95 / 100));
  fflush (stdout);
}

int
main (int argc, char **argv)
{
  Bench bench = {.loop = g_main_loop_new (NULL, FALSE)};
  char line[16];
  guint messages, size;
  gint64 start_us;
  Peer *peers;

  if (argc != 5)
    die ("URL CLIENTS MESSAGES SIZE");
  bench.n_clients = (guint) strtoul (argv[2], NULL, 10);
  messages = (guint) strtoul (argv[3], NULL, 10);
  size = (guint) strtoul (argv[4], NULL, 10);
  if (bench.n_clients == 0 || messages < bench.n_clients || size == 0)
    die ("at least one client, a message for each, a byte");
  bench.bytes = g_bytes_new_take (memset (g_malloc (size), 'x', size), size);
  bench.round_trips_us = g_array_new (FALSE, FALSE, sizeof (gint64));
  peers = make_peers (&bench, argv[1]);
  g_main_loop_run (bench.loop);
  run (&bench, peers, MAX (bench.n_clients, messages / 10)); /* warm up */
  puts ("connected");
  fflush (stdout);
  if (fgets (line, sizeof line, stdin) == NULL)
    return 1;
  start_us = g_get_monotonic_time ();
  run (&bench, peers, messages);
  report (&bench, g_get_monotonic_time () - start_us);
  return 0;
}
