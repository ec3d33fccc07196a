/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "wait.h"

#include <dubbing_socketio/client.h>
#include <string.h>

/* A client that remembers what it was told. */
typedef struct {
  DubSioClient *client;
  gboolean is_connected;
  GPtrArray *events; /* of DubSioMessage */
  GPtrArray *answers;
  guint unanswered; /* acks that ended with NULL */
  GError *closed;
  guint n_closed;
} Recorder;

static inline void
recorder_on_connect (DubSioClient *client, gpointer user_data)
{
  ((Recorder *) user_data)->is_connected = TRUE;
}

static inline void
recorder_on_event (
    DubSioClient *client, DubSioMessage *message, gpointer user_data)
{
  Recorder *recorder = user_data;

  g_ptr_array_add (recorder->events, dub_sio_message_ref (message));
}

static inline void
recorder_on_close (
    DubSioClient *client, const GError *error, gpointer user_data)
{
  Recorder *recorder = user_data;

  recorder->n_closed++;
  recorder->is_connected = FALSE;
  g_clear_error (&recorder->closed);
  recorder->closed = g_error_copy (error);
}

/* Questions come back as answers with the same arguments. */
static inline void
recorder_on_request (DubSioClient *client, DubSioMessage *message,
    DubSioAck *ack, gpointer user_data)
{
  DubSioMessage *answer = dub_sio_message_new (NULL);

  dub_sio_message_add_args_of (answer, message);
  dub_sio_ack_send (ack, answer);
}

static inline void
recorder_on_answer (DubSioMessage *answer, gpointer user_data)
{
  Recorder *recorder = user_data;

  if (answer == NULL)
    recorder->unanswered++;
  else
    g_ptr_array_add (recorder->answers, dub_sio_message_ref (answer));
}

static const DubSioClientHandlers recorder_handlers = {recorder_on_connect,
    recorder_on_event, recorder_on_close, recorder_on_request};

static inline Recorder *
recorder_new (guint port, const DubSioClientOptions *options)
{
  Recorder *recorder = g_new0 (Recorder, 1);
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u", port);
  g_autoptr (GError) error = NULL;
  DubSioClientOptions defaults;

  dub_sio_client_options_init (&defaults);
  recorder->events =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_sio_message_unref);
  recorder->answers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_sio_message_unref);
  recorder->client =
      dub_sio_client_new (url, options != NULL ? options : &defaults,
          &recorder_handlers, recorder, &error);
  g_assert_no_error (error);
  dub_sio_client_connect (recorder->client);
  return recorder;
}

static inline void
recorder_free (Recorder *recorder)
{
  dub_sio_client_free (recorder->client);
  g_ptr_array_unref (recorder->events);
  g_ptr_array_unref (recorder->answers);
  g_clear_error (&recorder->closed);
  g_free (recorder);
}

/* The event of that index, once it is there. */
static inline DubSioMessage *
recorder_event (Recorder *recorder, guint index)
{
  WAIT_FOR (recorder->events->len > index || recorder->closed != NULL);
  g_assert_no_error (recorder->closed);
  return g_ptr_array_index (recorder->events, index);
}

static inline JsonNode *
text_node (const char *text)
{
  return json_node_init_string (json_node_alloc (), text);
}

static inline GBytes *
make_bytes (gsize size)
{
  guint8 *data = g_malloc (size > 0 ? size : 1);
  guint32 x = 1;

  for (gsize i = 0; i < size; i++) {
    x = x * 1103515245 + 12345;
    data[i] = (guint8) (x >> 16);
  }
  return g_bytes_new_take (data, size);
}
