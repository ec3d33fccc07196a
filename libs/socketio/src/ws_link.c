/* SPDX-License-Identifier: Apache-2.0 */
#include "ws_link.h"

#include <string.h>

#define LINGER_MS 5000
/* So that one busy peer does not keep the others waiting. */
#define READS_AT_ONCE 16
#define FRAMES_AT_ONCE 16
/* With so much waiting, pings are not answered any more. */
#define MAX_PONGS (64 << 10)

typedef struct {
  guint8 header[DUB_WS_MAX_HEADER];
  gsize header_length;
  GBytes *payload;
} Out;

struct _DubWsLink {
  grefcount ref_count; /* the owner, or the linger; and each dispatch */
  DubWsConfig config;  /* handlers NULL: the owner let go */
  GMainContext *context;
  GIOStream *stream;
  GPollableInputStream *in;
  GPollableOutputStream *out;
  GSource *read_source, *write_source, *timer;

  DubWsReader *reader;
  GQueue frames;       /* of Out */
  gsize first_written; /* of the first, header and payload */
  gsize queued_bytes;
  gboolean is_reading; /* sends wait until it is done */
  gboolean was_called_in_vain;
  gboolean is_broken; /* nothing goes out any more */
  gboolean close_sent, close_received;
};

static void end_linger (DubWsLink *link);
static void watch_input (DubWsLink *link);
static void flush (DubWsLink *link);

static void
out_free (gpointer data)
{
  Out *out = data;

  g_bytes_unref (out->payload);
  g_free (out);
}

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
link_unref (DubWsLink *link)
{
  if (!g_ref_count_dec (&link->ref_count))
    return;
  dub_ws_reader_free (link->reader);
  g_queue_clear_full (&link->frames, out_free);
  g_object_unref (link->stream);
  g_main_context_unref (link->context);
  g_free (link);
}

static GSource *
attach (DubWsLink *link, GSource *source, GSourceFunc func)
{
  g_source_set_callback (source, func, link, NULL);
  g_source_attach (source, link->context);
  return source;
}

/* No source calls any more, and the connection is gone. */
static void
shut (DubWsLink *link)
{
  clear_source (&link->read_source);
  clear_source (&link->write_source);
  clear_source (&link->timer);
  g_io_stream_close (link->stream, NULL, NULL);
}

/* The end, whoever's: the owner is told, or the linger is over. */
static void
on_end (DubWsLink *link)
{
  const DubWsHandlers *handlers = link->config.handlers;

  if (handlers == NULL) {
    end_linger (link);
    return;
  }
  clear_source (&link->read_source);
  clear_source (&link->timer);
  handlers->on_closed (link, link->config.user_data);
}

/* -------------------------------------------------------------- sending */

static gboolean
on_broken (gpointer user_data)
{
  DubWsLink *link = user_data;

  clear_source (&link->timer);
  on_end (link);
  return G_SOURCE_REMOVE;
}

/* Told from the loop: who sends stands in the middle of his own work. */
static void
break_soon (DubWsLink *link)
{
  link->is_broken = TRUE;
  g_queue_clear_full (&link->frames, out_free);
  link->queued_bytes = link->first_written = 0;
  clear_source (&link->timer);
  link->timer = attach (link, g_idle_source_new (), on_broken);
}

static guint
fill_vectors (DubWsLink *link, GOutputVector vectors[2 * FRAMES_AT_ONCE])
{
  gsize skip = link->first_written;
  guint n = 0;

  for (GList *l = link->frames.head; l != NULL && n + 2 <= 2 * FRAMES_AT_ONCE;
       l = l->next) {
    Out *out = l->data;
    gsize size;
    const guint8 *data = g_bytes_get_data (out->payload, &size);
    gsize of_header = MIN (skip, out->header_length);

    if (of_header < out->header_length)
      vectors[n++] = (GOutputVector){
          out->header + of_header, out->header_length - of_header};
    skip -= of_header;
    if (skip < size)
      vectors[n++] = (GOutputVector){data + skip, size - skip};
    skip = 0;
  }
  return n;
}

static void
drop_written (DubWsLink *link, gsize n)
{
  link->queued_bytes -= n;
  n += link->first_written;
  while (!g_queue_is_empty (&link->frames)) {
    Out *out = g_queue_peek_head (&link->frames);
    gsize size = out->header_length + g_bytes_get_size (out->payload);

    if (n < size)
      break;
    n -= size;
    out_free (g_queue_pop_head (&link->frames));
  }
  link->first_written = n;
}

static gboolean
on_writable (GObject *stream, gpointer user_data)
{
  DubWsLink *link = user_data;

  g_ref_count_inc (&link->ref_count);
  clear_source (&link->write_source);
  flush (link);
  link_unref (link);
  return G_SOURCE_REMOVE;
}

static void
wait_for_space (DubWsLink *link)
{
  if (link->write_source == NULL)
    link->write_source =
        attach (link, g_pollable_output_stream_create_source (link->out, NULL),
            G_SOURCE_FUNC (on_writable));
}

static void
flush (DubWsLink *link)
{
  while (!g_queue_is_empty (&link->frames)) {
    GOutputVector vectors[2 * FRAMES_AT_ONCE];
    guint n = fill_vectors (link, vectors);
    gsize written = 0;
    GPollableReturn result = g_pollable_output_stream_writev_nonblocking (
        link->out, vectors, n, &written, NULL, NULL);

    if (result == G_POLLABLE_RETURN_WOULD_BLOCK) {
      wait_for_space (link);
      return;
    }
    if (result != G_POLLABLE_RETURN_OK) {
      break_soon (link);
      return;
    }
    drop_written (link, written);
  }
  if (link->close_sent && link->close_received && link->config.handlers == NULL)
    end_linger (link);
}

static GBytes *
masked (GBytes *payload, const guint8 mask[4])
{
  gsize size;
  const guint8 *data = g_bytes_get_data (payload, &size);
  guint8 *copy = g_malloc (MAX (size, 1));

  if (size > 0)
    memcpy (copy, data, size);
  dub_ws_mask (copy, size, mask, 0);
  return g_bytes_new_take (copy, size);
}

static void
queue (DubWsLink *link, DubWsType type, GBytes *payload)
{
  Out *out;
  guint32 random = 0;
  guint8 *mask = NULL;

  if (link->is_broken || link->close_sent)
    return;
  out = g_new (Out, 1);
  if (link->config.is_client) {
    random = g_random_int ();
    mask = (guint8 *) &random;
  }
  out->payload = mask != NULL ? masked (payload, mask) : g_bytes_ref (payload);
  out->header_length =
      dub_ws_write_header (out->header, type, g_bytes_get_size (payload), mask);
  link->queued_bytes += out->header_length + g_bytes_get_size (payload);
  g_queue_push_tail (&link->frames, out);
}

static void
flush_unless_later (DubWsLink *link)
{
  if (!link->is_reading && link->write_source == NULL)
    flush (link);
}

static void
queue_close (DubWsLink *link, guint code)
{
  guint8 payload[] = {(guint8) (code >> 8), (guint8) code};
  g_autoptr (GBytes) bytes = g_bytes_new (payload, sizeof payload);

  queue (link, DUB_WS_CLOSE, bytes);
  link->close_sent = TRUE;
}

void
dub_ws_link_send (DubWsLink *link, const DubEioFrame *frame)
{
  queue (link, frame->is_binary ? DUB_WS_BINARY : DUB_WS_TEXT, frame->bytes);
  flush_unless_later (link);
}

gsize
dub_ws_link_get_queued_bytes (DubWsLink *link)
{
  return link->queued_bytes;
}

/* -------------------------------------------------------------- reading */

static void
on_event (DubWsLink *link, const DubWsEvent *event)
{
  const DubWsHandlers *handlers = link->config.handlers;

  switch (event->type) {
    case DUB_WS_TEXT:
    case DUB_WS_BINARY:
      if (handlers != NULL && !link->close_received)
        handlers->on_frame (link, event->type == DUB_WS_BINARY, event->data,
            link->config.user_data);
      break;
    case DUB_WS_PING:
      if (link->queued_bytes < MAX_PONGS)
        queue (link, DUB_WS_PONG, event->data);
      break;
    case DUB_WS_CLOSE:
      link->close_received = TRUE;
      queue_close (link, DUB_WS_CLOSE_NORMAL);
      break;
    case DUB_WS_PONG:
    case DUB_WS_NONE:
    default:
      break;
  }
}

/* FALSE: nothing more is to be read. */
static gboolean
take_events (DubWsLink *link)
{
  guint code = DUB_WS_CLOSE_PROTOCOL;

  for (;;) {
    DubWsEvent event;

    if (!dub_ws_reader_next (link->reader, &event, &code)) {
      queue_close (link, code);
      link->close_received = TRUE;
      return FALSE;
    }
    if (event.type == DUB_WS_NONE)
      return TRUE;
    on_event (link, &event);
    g_bytes_unref (event.data);
    if (link->close_received || link->read_source == NULL)
      return FALSE;
  }
}

static gboolean
read_some (DubWsLink *link)
{
  for (guint i = 0; i < READS_AT_ONCE; i++) {
    g_autoptr (GError) error = NULL;
    guint8 *space;
    gsize size;
    gssize n;

    dub_ws_reader_get_space (link->reader, &space, &size);
    n = g_pollable_input_stream_read_nonblocking (
        link->in, space, size, NULL, &error);
    if (n < 0 && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
      link->was_called_in_vain = i == 0;
      return TRUE;
    }
    if (n <= 0) {
      link->is_broken = TRUE;
      return FALSE;
    }
    dub_ws_reader_advance (link->reader, (gsize) n);
    if (!take_events (link))
      return FALSE;
    /* What fills less than there was room for was all there is. */
    if ((gsize) n < size)
      return TRUE;
  }
  return TRUE;
}

/* The source of libsoup's stream that held bytes when it was made fires for
 * ever. */
static void
renew_read_source (DubWsLink *link)
{
  clear_source (&link->read_source);
  watch_input (link);
}

static gboolean
on_readable (GObject *stream, gpointer user_data)
{
  DubWsLink *link = user_data;
  gboolean goes_on;

  g_ref_count_inc (&link->ref_count);
  link->was_called_in_vain = FALSE;
  link->is_reading = TRUE;
  goes_on = read_some (link);
  link->is_reading = FALSE;
  if (!link->is_broken)
    flush_unless_later (link);
  /* A callback may have freed us, or closed. */
  if (link->read_source != NULL && !goes_on)
    on_end (link);
  else if (link->read_source != NULL && link->was_called_in_vain)
    renew_read_source (link);
  link_unref (link);
  return G_SOURCE_CONTINUE;
}

static void
watch_input (DubWsLink *link)
{
  link->read_source =
      attach (link, g_pollable_input_stream_create_source (link->in, NULL),
          G_SOURCE_FUNC (on_readable));
}

static gboolean
on_early (gpointer user_data)
{
  DubWsLink *link = user_data;
  gboolean goes_on;

  g_ref_count_inc (&link->ref_count);
  clear_source (&link->timer);
  link->is_reading = TRUE;
  goes_on = take_events (link);
  link->is_reading = FALSE;
  flush_unless_later (link);
  if (!goes_on && link->read_source != NULL)
    on_end (link);
  link_unref (link);
  return G_SOURCE_REMOVE;
}

static void
put_early (DubWsLink *link, GBytes *early)
{
  gsize size, left;
  const guint8 *data = g_bytes_get_data (early, &left);
  guint8 *space;

  dub_ws_reader_get_space (link->reader, &space, &size);
  g_assert (left <= size);
  memcpy (space, data, left);
  dub_ws_reader_advance (link->reader, left);
  link->timer = attach (link, g_idle_source_new (), on_early);
  g_source_set_priority (link->timer, G_PRIORITY_HIGH);
}

/* --------------------------------------------------------------- owner */

DubWsLink *
dub_ws_link_new (GIOStream *stream, const DubWsConfig *config, GBytes *early)
{
  DubWsLink *link = g_new0 (DubWsLink, 1);

  g_ref_count_init (&link->ref_count);
  link->config = *config;
  link->context = g_main_context_ref_thread_default ();
  link->stream = g_object_ref (stream);
  link->in = G_POLLABLE_INPUT_STREAM (g_io_stream_get_input_stream (stream));
  link->out = G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (stream));
  link->reader = dub_ws_reader_new (config->is_client, config->max_message);
  g_queue_init (&link->frames);
  link->read_source =
      attach (link, g_pollable_input_stream_create_source (link->in, NULL),
          G_SOURCE_FUNC (on_readable));
  if (early != NULL && g_bytes_get_size (early) > 0)
    put_early (link, early);
  return link;
}

void
dub_ws_link_free (DubWsLink *link)
{
  if (link == NULL)
    return;
  link->config.handlers = NULL;
  link->is_broken = TRUE;
  shut (link);
  link_unref (link);
}

/* The reference that the owner had is the linger's now. */
static void
end_linger (DubWsLink *link)
{
  shut (link);
  link->is_broken = TRUE;
  link_unref (link);
}

static gboolean
on_linger_timeout (gpointer user_data)
{
  end_linger (user_data);
  return G_SOURCE_REMOVE;
}

void
dub_ws_link_close (DubWsLink *link, guint code)
{
  if (link == NULL)
    return;
  if (link->is_broken) {
    dub_ws_link_free (link);
    return;
  }
  link->config.handlers = NULL;
  queue_close (link, code);
  clear_source (&link->timer);
  link->timer =
      attach (link, g_timeout_source_new (LINGER_MS), on_linger_timeout);
  flush_unless_later (link);
}
