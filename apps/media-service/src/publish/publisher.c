/* SPDX-License-Identifier: Apache-2.0 */
#include "publisher.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <gst/app/gstappsrc.h>
#include <media_service/gst_bus.h>
#include <media_service/retry.h>
#include <media_service/safe_text.h>
#include <string.h>
#include <unistd.h>

#include "sent_log.h"
#include "tcp_queue.h"

#define MAX_WAITING_MS 3000
/* 32-bit milliseconds wrap after 49 days; servers have been seen to fall over
 * it, so a connection is renewed long before. */
#define RENEW_MS (G_GINT64_CONSTANT (20) * 24 * 3600 * 1000)
/* MediaMTX looks at the first 2 s of a publisher's times to see which tracks
 * there are, and throws away what it read meanwhile. So codec data goes first
 * with times 2 s before the rest, and the sound's once more with the time of
 * what follows: that one ends the look, and nothing is lost. */
#define LEAD_IN_MS 2000
/* A decoder needs the frame before the one that it is to sound, so so much
 * sound from before the key frame goes with it. */
#define PREROLL_MS 45
/* All times on the wire are this much above media time: none is negative. */
#define WIRE_OFFSET_MS (LEAD_IN_MS + 100)
#define CHUNK_SIZE 65536
#define N_CONFIG 3
/* Sound waits for the next picture, or for so many frames, and goes with it:
 * each hand-over wakes two threads, and that costs more than the sending. */
#define MAX_HELD 3
/* From so many bytes on our socket is told from others to the same server. */
#define SOCKET_BYTES 32768
/* What a connection writes before the first tag: handshake and commands. */
#define OPENING_BYTES 3500
#define LASTING_NS (5 * DUB_NS_PER_S)

typedef struct {
  GstElement *pipeline;
  GstAppSrc *source;
  GSource *bus_source;
  /* protected by the publisher's lock */
  DubSentLog sent;
  guint64 bytes;
  gboolean is_socket_asked;
  int socket; /* a duplicate; -1 until so much was sent that it is known */
} Link;

struct _DubPublisher {
  /* immutable */
  char *url;
  char *shown_url;
  gboolean is_foreign;
  GMainContext *context;
  DubPublisherStateFunc on_state;
  gpointer user_data;

  /* the owner's thread only */
  GSource *end_timer;
  guint attempt;

  /* protected by lock */
  GMutex lock;
  DubPublisherState state;
  Link *link;          /* NULL: none */
  gboolean is_sending; /* a key frame went out on this link */
  gboolean is_finishing;
  gboolean is_loss_told; /* a stall that the owner has yet to handle */
  gint64 base_ms;
  gint64 retry_at_ns;
  gint64 begun_ns; /* when the connection was begun */
  gint64 pushed_ms;
  gint64 taken_ms;
  DubFlvTag *config[N_CONFIG]; /* metadata, video, sound */
  DubFlvTag *held[MAX_HELD];   /* sound */
  guint n_held;
  DubPublisherStats stats;
};

static gint64
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

const char *
dub_publisher_state_to_string (DubPublisherState state)
{
  static const char *const names[] = {
      "none", "idle", "running", "waiting", "ended"};

  return (guint) state < G_N_ELEMENTS (names) ? names[state] : "none";
}

gboolean
dub_publisher_check_url (const char *url, GError **error)
{
  g_autofree char *scheme = url ? g_uri_parse_scheme (url) : NULL;
  g_autofree char *shown = NULL;

  if (!url || !*url) {
    g_set_error (
        error, DUB_ERROR, DUB_ERROR_INVALID, "the output URL cannot be empty");
    return FALSE;
  }
  if (scheme && (g_ascii_strcasecmp (scheme, "rtmp") == 0 ||
                    g_ascii_strcasecmp (scheme, "rtmps") == 0))
    return TRUE;
  shown = dub_redact_url (url);
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "the output URL %s must start with 'rtmp://' or 'rtmps://'", shown);
  return FALSE;
}

/* -- the owner's thread -------------------------------------------------- */

/* Stops the pipeline: not under the lock, since its threads take it. */
static void
link_free (Link *link)
{
  if (!link)
    return;
  if (link->bus_source) {
    g_source_destroy (link->bus_source);
    g_source_unref (link->bus_source);
  }
  gst_element_set_state (link->pipeline, GST_STATE_NULL);
  if (link->socket >= 0)
    close (link->socket);
  gst_clear_object (&link->source);
  gst_object_unref (link->pipeline);
  g_free (link);
}

static Link *
take_link (DubPublisher *self)
{
  g_autoptr (GMutexLocker) G_GNUC_UNUSED locker =
      g_mutex_locker_new (&self->lock);

  self->is_sending = FALSE;
  self->is_loss_told = FALSE;
  return g_steal_pointer (&self->link);
}

/* A server that wants another key or password may take the stream, and end it
 * when it has looked (MediaMTX: after 2 s). So only what has lasted longer is a
 * connection that ends the loss before it. */
static gboolean
has_lasted_locked (DubPublisher *self)
{
  return self->state == DUB_PUBLISHER_RUNNING &&
         now_ns () - self->begun_ns > LASTING_NS;
}

static void
set_state (DubPublisher *self, DubPublisherState state, const GError *error)
{
  g_mutex_lock (&self->lock);
  self->state = state;
  if (state != DUB_PUBLISHER_RUNNING &&
      self->stats.lost_since_ns == DUB_TIME_NONE)
    self->stats.lost_since_ns = now_ns ();
  g_mutex_unlock (&self->lock);
  self->on_state (state, error, self->user_data);
}

static void open_link (DubPublisher *self);

static void
end (DubPublisher *self)
{
  if (self->end_timer) {
    g_source_destroy (self->end_timer);
    g_clear_pointer (&self->end_timer, g_source_unref);
  }
  link_free (take_link (self));
  set_state (self, DUB_PUBLISHER_ENDED, NULL);
}

static guint
next_wait_ms (DubPublisher *self)
{
  guint attempt = self->attempt++;

  return self->is_foreign ? dub_retry_foreign_ms (attempt, g_random_double ())
                          : dub_retry_wait_ms (attempt);
}

/* It ends now: what was lost before it, and how often, counts no more. */
static void
forget_losses (DubPublisher *self)
{
  g_mutex_lock (&self->lock);
  if (has_lasted_locked (self)) {
    self->stats.lost_since_ns = DUB_TIME_NONE;
    self->attempt = 0;
  }
  g_mutex_unlock (&self->lock);
}

static void
lose (DubPublisher *self, const GError *error)
{
  guint wait_ms;

  forget_losses (self);
  link_free (take_link (self));
  if (self->is_finishing) {
    end (self);
    return;
  }
  wait_ms = next_wait_ms (self);
  g_mutex_lock (&self->lock);
  self->retry_at_ns = now_ns () + (gint64) wait_ms * DUB_NS_PER_MS;
  g_mutex_unlock (&self->lock);
  open_link (self);
  set_state (self, DUB_PUBLISHER_WAITING, error);
}

/* What may be the matter with a server that took the stream and ended it. */
static const char *
guess_locked (DubPublisher *self)
{
  if (self->state != DUB_PUBLISHER_RUNNING)
    return "";
  if (self->config[1] && dub_flv_tag_is_enhanced (self->config[1]))
    return " (the pictures are H.265 by Enhanced RTMP, which not every server"
           " takes)";
  if (!has_lasted_locked (self))
    return " (ended as soon as it began: is the key, user or password wrong, or"
           " the stream taken by somebody else?)";
  return "";
}

static GError *
describe (DubPublisher *self, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;
  g_autofree char *words = NULL;
  g_autofree char *text = NULL;
  g_autofree char *safe = NULL;
  const char *cause, *guess;
  char *noise;
  int code = DUB_ERROR_UNAVAILABLE;

  g_mutex_lock (&self->lock);
  guess = guess_locked (self);
  g_mutex_unlock (&self->lock);
  gst_message_parse_error (message, &error, &debug);
  cause = debug ? strrchr (debug, '\n') : NULL;
  words = g_strdup_printf ("%s %s", error->message, cause ? cause + 1 : "");
  /* "... domain g-io-error-quark, code 44" */
  noise = strstr (words, " domain g-");
  if (noise)
    *noise = '\0';
  text = g_strconcat (g_strchomp (words), guess, NULL);
  safe = dub_safe_text (text, self->url);
  if (g_error_matches (
          error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED))
    code = DUB_ERROR_AUTH;
  return g_error_new (
      DUB_ERROR, code, "cannot publish to %s: %s", self->shown_url, safe);
}

static gboolean
on_bus_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  DubPublisher *self = user_data;
  g_autoptr (GError) error = NULL;

  dub_bus_note (message, self->url);
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      error = describe (self, message);
      lose (self, error);
      break;
    case GST_MESSAGE_EOS:
      end (self);
      break;
    default:
      break;
  }
  return G_SOURCE_CONTINUE;
}

/* The first tags were taken by the socket: the server is there. */
static gboolean
do_running (gpointer user_data)
{
  DubPublisher *self = user_data;
  gboolean is_new;

  g_mutex_lock (&self->lock);
  is_new = self->link && self->state != DUB_PUBLISHER_RUNNING &&
           self->state != DUB_PUBLISHER_ENDED;
  if (is_new)
    self->stats.connect_ms =
        MAX (1, (now_ns () - self->begun_ns) / DUB_NS_PER_MS);
  g_mutex_unlock (&self->lock);
  if (is_new)
    set_state (self, DUB_PUBLISHER_RUNNING, NULL);
  return G_SOURCE_REMOVE;
}

/* What was pushed and has not reached the server: in our queue, and in the
 * kernel's. Called with the lock held. */
static gint64
waiting_ms_locked (DubPublisher *self)
{
  gint64 waiting_ms = self->pushed_ms - self->taken_ms;

  if (self->link)
    waiting_ms += dub_sent_log_behind_ms (
        &self->link->sent, dub_tcp_queue_unacknowledged (self->link->socket));
  return waiting_ms;
}

/* So much was sent that our socket can be told from others. */
static gboolean
do_find_socket (gpointer user_data)
{
  DubPublisher *self = user_data;
  guint16 port = dub_tcp_queue_port_of (self->url);

  g_mutex_lock (&self->lock);
  if (self->link && self->link->is_socket_asked && self->link->socket < 0)
    self->link->socket =
        dub_tcp_queue_find (port, self->link->bytes + OPENING_BYTES);
  g_mutex_unlock (&self->lock);
  return G_SOURCE_REMOVE;
}

/* A stall was seen, or the link is old. */
static gboolean
do_lose (gpointer user_data)
{
  DubPublisher *self = user_data;
  g_autoptr (GError) error = NULL;
  gboolean is_told;
  gint64 waiting_ms;

  g_mutex_lock (&self->lock);
  is_told = self->is_loss_told;
  waiting_ms = waiting_ms_locked (self);
  g_mutex_unlock (&self->lock);
  if (!is_told)
    return G_SOURCE_REMOVE;
  error = g_error_new (DUB_ERROR, DUB_ERROR_TIMEOUT,
      "%s takes nothing: %" G_GINT64_FORMAT " ms of stream wait",
      self->shown_url, waiting_ms);
  lose (self, error);
  return G_SOURCE_REMOVE;
}

static void
invoke (DubPublisher *self, GSourceFunc func)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  /* Found by user data and removed when we are freed. */
  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, self->context);
}

/* -- from any thread ----------------------------------------------------- */

/* TRUE, once: now is the time to look for the socket. */
static gboolean
note_taken_locked (DubPublisher *self, GstBuffer *buffer)
{
  Link *link = self->link;

  self->taken_ms = (gint64) (GST_BUFFER_OFFSET (buffer));
  self->stats.tags_sent++;
  self->stats.bytes_sent += gst_buffer_get_size (buffer);
  if (!link)
    return FALSE;
  link->bytes += gst_buffer_get_size (buffer);
  dub_sent_log_note (&link->sent, self->taken_ms, link->bytes);
  if (link->is_socket_asked || link->bytes < SOCKET_BYTES)
    return FALSE;
  link->is_socket_asked = TRUE;
  return TRUE;
}

/* A tag has left the queue for the socket; the streaming thread. */
static GstPadProbeReturn
on_taken (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  DubPublisher *self = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  gboolean is_first_picture, is_socket_wanted;

  g_mutex_lock (&self->lock);
  is_socket_wanted = note_taken_locked (self, buffer);
  /* This one follows others, so the socket has taken those. */
  is_first_picture = self->state != DUB_PUBLISHER_RUNNING &&
                     !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_HEADER);
  g_mutex_unlock (&self->lock);
  if (is_first_picture)
    invoke (self, do_running);
  if (is_socket_wanted)
    invoke (self, do_find_socket);
  return GST_PAD_PROBE_OK;
}

/* Called with the lock held. */
static void
send_locked (DubPublisher *self, const DubFlvTag *tag, gint64 dts_ms)
{
  DubFlvTag timed = *tag;
  g_autoptr (GBytes) bytes = NULL;
  GstBuffer *buffer;

  timed.dts_ms = dts_ms;
  bytes = dub_flv_tag_write (&timed, self->base_ms);
  buffer = gst_buffer_new_wrapped_bytes (bytes);
  GST_BUFFER_OFFSET (buffer) = (guint64) dts_ms;
  if (tag->is_config)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_HEADER);
  gst_app_src_push_buffer (self->link->source, buffer);
}

static void
drop_first_held_locked (DubPublisher *self)
{
  dub_flv_tag_unref (self->held[0]);
  self->n_held--;
  memmove (self->held, self->held + 1, self->n_held * sizeof *self->held);
}

static void
send_held_locked (DubPublisher *self)
{
  for (guint i = 0; i < self->n_held; i++) {
    send_locked (self, self->held[i], self->held[i]->dts_ms);
    dub_flv_tag_unref (self->held[i]);
  }
  self->n_held = 0;
}

static void
drop_held_locked (DubPublisher *self)
{
  for (guint i = 0; i < self->n_held; i++)
    dub_flv_tag_unref (self->held[i]);
  self->n_held = 0;
}

/* Called with the lock held: what goes before a connection's first key
 * frame. The sound held since the last one is still there. */
static void
begin_locked (DubPublisher *self, gint64 key_ms)
{
  gint64 start_ms;

  while (self->n_held > 0 && self->held[0]->dts_ms < key_ms - PREROLL_MS)
    drop_first_held_locked (self);
  start_ms = self->n_held > 0 ? MIN (self->held[0]->dts_ms, key_ms) : key_ms;
  self->base_ms = (key_ms >= RENEW_MS ? key_ms : 0) - WIRE_OFFSET_MS;
  self->pushed_ms = self->taken_ms = key_ms;
  self->is_sending = TRUE;
  self->begun_ns = now_ns ();
  self->stats.n_connections++;
  for (guint i = 0; i < N_CONFIG; i++)
    if (self->config[i])
      send_locked (self, self->config[i], start_ms - LEAD_IN_MS);
  if (self->config[N_CONFIG - 1])
    send_locked (self, self->config[N_CONFIG - 1], start_ms);
}

static void
keep_config_locked (DubPublisher *self, DubFlvTag *tag)
{
  guint i = tag->type == DUB_FLV_SCRIPT  ? 0
            : tag->type == DUB_FLV_VIDEO ? 1
                                         : 2;

  g_clear_pointer (&self->config[i], dub_flv_tag_unref);
  self->config[i] = dub_flv_tag_ref (tag);
}

static gboolean
may_begin_locked (DubPublisher *self, const DubFlvTag *tag)
{
  return tag->type == DUB_FLV_VIDEO && tag->is_key && self->config[1] &&
         now_ns () >= self->retry_at_ns;
}

/* The newest stay while nothing is sent: a connection begins with them. */
static void
hold_locked (DubPublisher *self, DubFlvTag *tag)
{
  if (self->n_held == MAX_HELD) {
    drop_first_held_locked (self);
    self->stats.tags_dropped++;
  }
  self->held[self->n_held++] = dub_flv_tag_ref (tag);
}

static void
check_link_locked (DubPublisher *self, const DubFlvTag *tag)
{
  gboolean is_stalled = waiting_ms_locked (self) > MAX_WAITING_MS;
  gboolean is_old = tag->is_key && tag->dts_ms - self->base_ms > RENEW_MS;

  if (!is_stalled && !is_old)
    return;
  self->is_loss_told = TRUE;
  invoke (self, do_lose);
}

static void
push_media_locked (DubPublisher *self, DubFlvTag *tag)
{
  gboolean can_send = self->link && !self->is_finishing && !self->is_loss_told;

  if (can_send && !self->is_sending && may_begin_locked (self, tag))
    begin_locked (self, tag->dts_ms);
  can_send = can_send && self->is_sending;
  if (tag->type == DUB_FLV_SOUND) {
    hold_locked (self, tag);
    if (can_send && self->n_held == MAX_HELD)
      send_held_locked (self);
  } else if (can_send) {
    send_held_locked (self);
    send_locked (self, tag, tag->dts_ms);
  } else {
    self->stats.tags_dropped++;
  }
  if (!can_send)
    return;
  self->pushed_ms = MAX (self->pushed_ms, tag->dts_ms);
  check_link_locked (self, tag);
}

static void
push_config_locked (DubPublisher *self, DubFlvTag *tag)
{
  keep_config_locked (self, tag);
  if (!self->link || !self->is_sending || self->is_loss_told)
    return;
  send_held_locked (self);
  send_locked (self, tag, tag->dts_ms);
}

void
dub_publisher_push (DubPublisher *self, DubFlvTag *tag)
{
  g_mutex_lock (&self->lock);
  if (tag->is_config)
    push_config_locked (self, tag);
  else
    push_media_locked (self, tag);
  g_mutex_unlock (&self->lock);
}

void
dub_publisher_get_stats (DubPublisher *self, DubPublisherStats *ret_stats)
{
  g_mutex_lock (&self->lock);
  *ret_stats = self->stats;
  if (self->state == DUB_PUBLISHER_RUNNING)
    ret_stats->lost_since_ns = DUB_TIME_NONE;
  ret_stats->waiting_ms = self->is_sending ? waiting_ms_locked (self) : 0;
  g_mutex_unlock (&self->lock);
}

/* -- life ---------------------------------------------------------------- */

static Link *
build_link (DubPublisher *self)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("video/x-flv");
  g_autoptr (GstElement) sink = gst_element_factory_make ("rtmp2sink", NULL);
  g_autoptr (GstElement) source = gst_element_factory_make ("appsrc", NULL);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstPad) pad = NULL;
  Link *link;

  if (!sink || !source)
    return NULL;
  link = g_new0 (Link, 1);
  link->socket = -1;
  link->pipeline = gst_object_ref_sink (gst_pipeline_new ("publish"));
  link->source = GST_APP_SRC (gst_object_ref_sink (source));
  g_object_set (source, "caps", caps, "format", GST_FORMAT_TIME, "block", FALSE,
      "max-bytes", G_GUINT64_CONSTANT (0), NULL);
  /* Connects with the first tag, which is when there is something to send. */
  g_object_set (sink, "location", self->url, "sync", FALSE, "async", FALSE,
      "async-connect", FALSE, "enable-last-sample", FALSE, "chunk-size",
      CHUNK_SIZE, NULL);
  gst_bin_add_many (GST_BIN (link->pipeline), g_steal_pointer (&source),
      gst_object_ref (sink), NULL);
  gst_element_link (GST_ELEMENT (link->source), sink);
  pad = gst_element_get_static_pad (GST_ELEMENT (link->source), "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_taken, self, NULL);
  bus = gst_element_get_bus (link->pipeline);
  link->bus_source = gst_bus_create_watch (bus);
  g_source_set_callback (
      link->bus_source, G_SOURCE_FUNC (on_bus_message), self, NULL);
  g_source_attach (link->bus_source, self->context);
  return link;
}

static void
open_link (DubPublisher *self)
{
  Link *link = build_link (self);

  if (!link)
    return;
  gst_element_set_state (link->pipeline, GST_STATE_PLAYING);
  g_mutex_lock (&self->lock);
  self->link = link;
  g_mutex_unlock (&self->lock);
}

DubPublisher *
dub_publisher_new (const char *url, gboolean is_foreign,
    DubPublisherStateFunc on_state, gpointer user_data, GError **error)
{
  DubPublisher *self;

  if (!dub_publisher_check_url (url, error))
    return NULL;
  self = g_new0 (DubPublisher, 1);
  g_mutex_init (&self->lock);
  self->url = g_strdup (url);
  self->shown_url = dub_redact_url (url);
  self->is_foreign = is_foreign;
  self->context = g_main_context_ref_thread_default ();
  self->on_state = on_state;
  self->user_data = user_data;
  self->state = DUB_PUBLISHER_IDLE;
  self->stats.lost_since_ns = DUB_TIME_NONE;
  open_link (self);
  if (!self->link) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "the GStreamer elements appsrc and rtmp2sink are not installed");
    dub_publisher_free (self);
    return NULL;
  }
  return self;
}

static void
drop_invocations (DubPublisher *self)
{
  GSource *source;

  while (
      (source = g_main_context_find_source_by_user_data (self->context, self)))
    g_source_destroy (source);
}

void
dub_publisher_free (DubPublisher *self)
{
  if (!self)
    return;
  if (self->end_timer) {
    g_source_destroy (self->end_timer);
    g_source_unref (self->end_timer);
  }
  link_free (take_link (self));
  drop_held_locked (self);
  drop_invocations (self);
  for (guint i = 0; i < N_CONFIG; i++)
    g_clear_pointer (&self->config[i], dub_flv_tag_unref);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_free (self->url);
  g_free (self->shown_url);
  g_free (self);
}

static gboolean
on_end_timer (gpointer user_data)
{
  end (user_data);
  return G_SOURCE_REMOVE;
}

void
dub_publisher_finish (DubPublisher *self, guint timeout_ms)
{
  gboolean is_sending;

  g_mutex_lock (&self->lock);
  self->is_finishing = TRUE;
  is_sending = self->is_sending && !self->is_loss_told;
  if (is_sending) {
    send_held_locked (self);
    gst_app_src_end_of_stream (self->link->source);
  }
  g_mutex_unlock (&self->lock);
  self->end_timer = g_timeout_source_new (is_sending ? timeout_ms : 0);
  g_source_set_callback (self->end_timer, on_end_timer, self, NULL);
  g_source_attach (self->end_timer, self->context);
}
