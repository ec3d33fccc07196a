/* SPDX-License-Identifier: Apache-2.0 */
#include "event_stream.h"

struct _DubEventStream {
  GIOStream *connection;
  GPollableInputStream *in;
  GPollableOutputStream *out;
  DubEventStreamClosed closed;
  gpointer user_data;
  GByteArray *pending;
  GSource *in_source, *out_source; /* (nullable) */
  guint close_id;
  gboolean is_over; /* nothing is sent any more */
};

static gboolean
do_close (gpointer user_data)
{
  DubEventStream *self = user_data;

  self->close_id = 0;
  self->closed (self, self->user_data);
  return G_SOURCE_REMOVE;
}

static void
give_up (DubEventStream *self)
{
  if (self->is_over)
    return;
  self->is_over = TRUE;
  self->close_id = g_idle_add (do_close, self);
}

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void flush (DubEventStream *self);

static gboolean
on_writable (GObject *stream, gpointer user_data)
{
  DubEventStream *self = user_data;

  clear_source (&self->out_source);
  flush (self);
  return G_SOURCE_REMOVE;
}

static void
wait_for_room (DubEventStream *self)
{
  if (self->out_source != NULL)
    return;
  self->out_source = g_pollable_output_stream_create_source (self->out, NULL);
  g_source_set_callback (
      self->out_source, G_SOURCE_FUNC (on_writable), self, NULL);
  g_source_attach (self->out_source, NULL);
}

static void
flush (DubEventStream *self)
{
  while (!self->is_over && self->pending->len > 0) {
    g_autoptr (GError) error = NULL;
    gssize n = g_pollable_output_stream_write_nonblocking (
        self->out, self->pending->data, self->pending->len, NULL, &error);

    if (n > 0) {
      g_byte_array_remove_range (self->pending, 0, (guint) n);
    } else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
      wait_for_room (self);
      return;
    } else {
      give_up (self);
    }
  }
}

/* A listener says nothing: what can be read is its end. */
static gboolean
on_readable (GObject *stream, gpointer user_data)
{
  DubEventStream *self = user_data;
  g_autoptr (GError) error = NULL;
  char bytes[256];
  gssize n = g_pollable_input_stream_read_nonblocking (
      self->in, bytes, sizeof bytes, NULL, &error);

  if (n > 0 || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return G_SOURCE_CONTINUE;
  give_up (self);
  return G_SOURCE_REMOVE;
}

DubEventStream *
dub_event_stream_new (
    GIOStream *connection, DubEventStreamClosed closed, gpointer user_data)
{
  DubEventStream *self = g_new0 (DubEventStream, 1);

  self->connection = g_object_ref (connection);
  self->in =
      G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (connection));
  self->out =
      G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (connection));
  self->closed = closed;
  self->user_data = user_data;
  self->pending = g_byte_array_new ();
  self->in_source = g_pollable_input_stream_create_source (self->in, NULL);
  g_source_set_callback (
      self->in_source, G_SOURCE_FUNC (on_readable), self, NULL);
  g_source_attach (self->in_source, NULL);
  return self;
}

void
dub_event_stream_free (DubEventStream *self)
{
  if (self == NULL)
    return;
  clear_source (&self->in_source);
  clear_source (&self->out_source);
  if (self->close_id != 0)
    g_source_remove (self->close_id);
  g_io_stream_close_async (
      self->connection, G_PRIORITY_DEFAULT, NULL, NULL, NULL);
  g_object_unref (self->connection);
  g_byte_array_unref (self->pending);
  g_free (self);
}

void
dub_event_stream_send (DubEventStream *self, const char *text, gsize length)
{
  g_return_if_fail (self != NULL);
  if (self->is_over)
    return;
  if (self->pending->len + length > DUB_EVENT_STREAM_MAX) {
    give_up (self);
    return;
  }
  g_byte_array_append (self->pending, (const guint8 *) text, (guint) length);
  if (self->out_source == NULL)
    flush (self);
}
