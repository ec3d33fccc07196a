/* SPDX-License-Identifier: Apache-2.0 */
#include "http_exchange.h"

#include <dubbing_common/error.h>

#define READ_BYTES (64 * 1024)
/* Of an answer that says no, all that is read. */
#define MAX_REFUSAL_BYTES (64 * 1024)

struct _DubHttpExchange {
  SoupSession *session;
  SoupMessage *message;
  GInputStream *stream;
  GCancellable *cancellable;
  GByteArray *answer;
  gsize max_bytes;
  DubHttpExchangeFunc done; /* NULL: nobody waits for it any more */
  gpointer user_data;
};

static void
exchange_free (DubHttpExchange *self)
{
  g_clear_object (&self->stream);
  g_clear_object (&self->message);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->session);
  g_byte_array_unref (self->answer);
  g_free (self);
}

/* The one way out. */
static void
end (DubHttpExchange *self, GBytes *body, const GError *error)
{
  if (self->done != NULL)
    self->done (self->message, body, error, self->user_data);
  exchange_free (self);
}

static void
end_whole (DubHttpExchange *self)
{
  g_autoptr (GBytes) body = g_bytes_new (self->answer->data, self->answer->len);

  end (self, body, NULL);
}

static void
end_too_large (DubHttpExchange *self)
{
  g_autoptr (GError) error = g_error_new (DUB_ERROR, DUB_ERROR_LIMIT,
      "the answer is larger than %" G_GSIZE_FORMAT " bytes", self->max_bytes);

  end (self, NULL, error);
}

static void on_read (GObject *source, GAsyncResult *result, gpointer user_data);

static void
read_more (DubHttpExchange *self)
{
  g_input_stream_read_bytes_async (self->stream, READ_BYTES, G_PRIORITY_DEFAULT,
      self->cancellable, on_read, self);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  DubHttpExchange *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes =
      g_input_stream_read_bytes_finish (self->stream, result, &error);
  gsize length = bytes != NULL ? g_bytes_get_size (bytes) : 0;

  if (self->done == NULL || bytes == NULL) {
    end (self, NULL, error);
  } else if (length == 0) {
    end_whole (self);
  } else if (self->answer->len + length > self->max_bytes) {
    end_too_large (self);
  } else {
    g_byte_array_append (
        self->answer, g_bytes_get_data (bytes, NULL), (guint) length);
    read_more (self);
  }
}

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  DubHttpExchange *self = user_data;
  g_autoptr (GError) error = NULL;

  self->stream = soup_session_send_finish (self->session, result, &error);
  if (self->done == NULL || self->stream == NULL) {
    end (self, NULL, error);
    return;
  }
  if (soup_message_get_status (self->message) >= 300)
    self->max_bytes = MAX_REFUSAL_BYTES;
  read_more (self);
}

DubHttpExchange *
dub_http_exchange_start (SoupSession *session, SoupMessage *message,
    gsize max_bytes, DubHttpExchangeFunc done, gpointer user_data)
{
  DubHttpExchange *self = g_new0 (DubHttpExchange, 1);

  self->session = g_object_ref (session);
  self->message = message;
  self->cancellable = g_cancellable_new ();
  self->answer = g_byte_array_new ();
  self->max_bytes = max_bytes;
  self->done = done;
  self->user_data = user_data;
  soup_session_send_async (
      session, message, G_PRIORITY_DEFAULT, self->cancellable, on_sent, self);
  return self;
}

void
dub_http_exchange_abandon (DubHttpExchange *self)
{
  /* The cancel may call back before it returns. */
  g_autoptr (GCancellable) cancellable = g_object_ref (self->cancellable);

  self->done = NULL;
  g_cancellable_cancel (cancellable);
}
