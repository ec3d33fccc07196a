/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that says anything, in any order, while time goes on and work is
 * done or fails. The input is lines:
 *
 *   EVENT JSON    said by the client ("fragment:data {...}")
 *   +N            N times 100 ms go by
 *   !N            the N-th open job is done; ?N it fails
 *
 * The first byte chooses the mode. Whatever comes: at most 10 fragments are in
 * flight, a job is answered once, the time of the next wake lies ahead.
 */
#include <dubbing_common/clock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "session/session.h"
#include <dubbing_socketio/json.h>

#define MAX_INPUT_BYTES 16384

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct {
  DubSession *session;
  GArray *tickets; /* of guint64: open jobs */
  gint64 now_ns;
  guint emitted;
} Peer;

static void
on_emit (DubSioMessage *message, gpointer user_data)
{
  Peer *self = user_data;

  self->emitted++;
  dub_sio_message_unref (message);
}

static void
on_submit (DubJob *job, guint64 ticket, gpointer user_data)
{
  Peer *self = user_data;

  g_array_append_val (self->tickets, ticket);
  dub_job_free (job);
}

static gboolean
on_check (const char *source, const char *target, const char *voice,
    gpointer user_data, GError **error)
{
  return TRUE;
}

static void
on_close (gpointer user_data)
{
}

static gint64
on_unix_ms (gpointer user_data)
{
  return 1767225600000;
}

static void
finish (Peer *self, guint index, gboolean is_good)
{
  DubResult *result;
  guint64 ticket;

  if (self->tickets->len == 0)
    return;
  index %= self->tickets->len;
  ticket = g_array_index (self->tickets, guint64, index);
  g_array_remove_index (self->tickets, index);
  result = dub_result_new ();
  result->status = is_good ? DUB_RESULT_SUCCESS : DUB_RESULT_FAILED;
  if (is_good) {
    result->sound.format = g_strdup ("m4a");
    result->sound.data = g_bytes_new_static ("x", 1);
  }
  dub_session_finish (self->session, ticket, result, self->now_ns);
}

static void
receive (Peer *self, char *line)
{
  char *json = strchr (line, ' ');
  g_autoptr (DubSioMessage) message = NULL;
  JsonNode *node;

  if (json)
    *json++ = '\0';
  message = dub_sio_message_new (line);
  /* The parser of the real way in; json-glib's own leaks on "{}{}". */
  node = json ? dub_sio_json_parse (json, strlen (json), NULL) : NULL;
  if (node)
    dub_sio_message_add_arg (message, node);
  dub_session_receive (self->session, message, self->now_ns);
}

static void
do_line (Peer *self, char *line)
{
  guint number = (guint) strtoul (line + (line[0] != '\0'), NULL, 10);

  switch (line[0]) {
    case '+':
      self->now_ns += (number % 1000) * 100 * DUB_NS_PER_MS;
      dub_session_wake (self->session, self->now_ns);
      break;
    case '!':
    case '?':
      finish (self, number, line[0] == '!');
      break;
    default:
      receive (self, line);
  }
  g_assert_cmpuint (dub_session_get_in_flight (self->session), <=, 10);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const DubSessionOps ops = {
      on_emit, on_submit, on_check, on_close, on_unix_ms};
  DubSessionSettings settings = {.source_language = "auto",
      .target_language = "en",
      .auto_disconnect_ns = DUB_NS_PER_S};
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  Peer peer = {0};

  if (size < 1 || size > MAX_INPUT_BYTES)
    return 0;
  settings.is_echo = data[0] & 1;
  settings.has_backpressure = data[0] & 2;
  settings.load = dub_load_rule_default (settings.is_echo);
  text = g_strndup ((const char *) data + 1, size - 1);
  if (!g_utf8_validate (text, -1, NULL))
    return 0;
  lines = g_strsplit (text, "\n", -1);
  peer.session = dub_session_new (&settings, &ops, &peer, "s", "w");
  peer.tickets = g_array_new (FALSE, FALSE, sizeof (guint64));
  for (guint i = 0; lines[i]; i++)
    do_line (&peer, lines[i]);
  dub_session_free (peer.session);
  g_array_unref (peer.tickets);
  return 0;
}
