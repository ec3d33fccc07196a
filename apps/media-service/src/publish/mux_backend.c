/* SPDX-License-Identifier: Apache-2.0 */
#include "mux_link.h"
#include "output_backend.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <media_service/gst_bus.h>
#include <media_service/retry.h>
#include <media_service/safe_text.h>
#include <string.h>

/*
 * Outputs whose container GStreamer writes: MPEG-TS over SRT, and RTSP. The
 * same life as publisher.h: a connection is made when a key frame comes, is
 * lost when 3 s of stream wait, and is tried again at the first key frame
 * after its wait.
 */

#define MAX_WAITING_NS (3 * DUB_NS_PER_S)
/* An RTSP server answers five times before it takes anything. */
#define MAX_CONNECTING_NS (10 * DUB_NS_PER_S)
/* A live muxer goes by the clock and media by its source's: when they are so
 * far apart, a new connection puts them together again. */
#define MAX_SKEW_NS (2 * DUB_NS_PER_S)
/* A decoder needs the frame before the one that it is to sound; and MediaMTX
 * records no picture whose dts is before the first sound. */
#define PREROLL_NS (45 * DUB_NS_PER_MS)
#define MAX_HELD 4

typedef struct {
  GBytes *frame;
  gint64 pts_ns;
} Held;

typedef struct {
  /* immutable */
  DubMuxKind kind;
  char *url, *shown_url;
  gboolean is_foreign;
  GBytes *sound_config;
  GMainContext *context;
  DubPublisherStateFunc on_state;
  gpointer user_data;

  /* the owner's thread only */
  GSource *end_timer;
  guint attempt;

  /* protected by lock */
  GMutex lock;
  DubPublisherState state;
  DubMuxLink *link;       /* NULL: none, or the next is being made */
  gboolean is_connecting; /* or connected */
  gboolean is_sending, is_finishing, is_loss_told, is_running_told;
  gint64 retry_at_ns, begun_ns, first_ns, pushed_ns, skew_ns;
  gint64 sound_from_ns; /* what is earlier is not sent */
  DubVideoCodec codec, sent_codec;
  GBytes *codec_data;
  Held held[MAX_HELD]; /* the newest sound, while nothing is sent */
  guint n_held;
  DubPublisherStats stats; /* of the links that are gone */
} Mux;

static gint64
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

/* -- the owner's thread -------------------------------------------------- */

static void
set_state (Mux *self, DubPublisherState state, const GError *error)
{
  g_mutex_lock (&self->lock);
  self->state = state;
  if (state == DUB_PUBLISHER_RUNNING)
    self->stats.lost_since_ns = DUB_TIME_NONE;
  else if (self->stats.lost_since_ns == DUB_TIME_NONE)
    self->stats.lost_since_ns = now_ns ();
  g_mutex_unlock (&self->lock);
  self->on_state (state, error, self->user_data);
}

/* What it has sent is kept. */
static void
close_link (Mux *self)
{
  DubMuxLink *link;
  DubMuxSent sent;

  g_mutex_lock (&self->lock);
  link = g_steal_pointer (&self->link);
  self->is_connecting = self->is_sending = FALSE;
  self->is_loss_told = self->is_running_told = FALSE;
  if (link) {
    dub_mux_link_get_sent (link, &sent);
    self->stats.tags_sent += sent.units;
    self->stats.bytes_sent += sent.bytes;
  }
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&link, dub_mux_link_close);
}

static void
end (Mux *self)
{
  if (self->end_timer) {
    g_source_destroy (self->end_timer);
    g_clear_pointer (&self->end_timer, g_source_unref);
  }
  close_link (self);
  set_state (self, DUB_PUBLISHER_ENDED, NULL);
}

static void on_link_message (GstMessage *message, gpointer user_data);

static gboolean
open_link (Mux *self, GError **error)
{
  DubMuxLink *link =
      dub_mux_link_new (self->kind, self->url, on_link_message, self, error);

  if (!link)
    return FALSE;
  g_mutex_lock (&self->lock);
  self->link = link;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static void
lose (Mux *self, const GError *error)
{
  guint wait_ms;

  close_link (self);
  if (self->is_finishing) {
    end (self);
    return;
  }
  wait_ms = self->is_foreign
                ? dub_retry_foreign_ms (self->attempt, g_random_double ())
                : dub_retry_wait_ms (self->attempt);
  self->attempt++;
  g_mutex_lock (&self->lock);
  self->retry_at_ns = now_ns () + (gint64) wait_ms * DUB_NS_PER_MS;
  g_mutex_unlock (&self->lock);
  open_link (self, NULL);
  set_state (self, DUB_PUBLISHER_WAITING, error);
}

static GError *
describe (Mux *self, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;
  g_autofree char *text = NULL;
  g_autofree char *safe = NULL;
  const char *cause;
  int code = DUB_ERROR_UNAVAILABLE;

  gst_message_parse_error (message, &error, &debug);
  cause = debug ? strrchr (debug, '\n') : NULL;
  text = g_strdup_printf ("%s %s", error->message, cause ? cause + 1 : "");
  safe = dub_safe_text (g_strchomp (text), self->url);
  if (g_error_matches (
          error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED))
    code = DUB_ERROR_AUTH;
  return g_error_new (
      DUB_ERROR, code, "cannot publish to %s: %s", self->shown_url, safe);
}

static void
on_link_message (GstMessage *message, gpointer user_data)
{
  Mux *self = user_data;
  g_autoptr (GError) error = NULL;

  dub_bus_note (message, self->url);
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS) {
    end (self);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    error = describe (self, message);
    lose (self, error);
  }
}

static gboolean
do_running (gpointer user_data)
{
  Mux *self = user_data;
  gboolean is_new;

  g_mutex_lock (&self->lock);
  is_new = self->link && self->state != DUB_PUBLISHER_RUNNING &&
           self->state != DUB_PUBLISHER_ENDED;
  if (is_new)
    self->stats.connect_ms =
        MAX (1, (now_ns () - self->begun_ns) / DUB_NS_PER_MS);
  g_mutex_unlock (&self->lock);
  self->attempt = 0;
  if (is_new)
    set_state (self, DUB_PUBLISHER_RUNNING, NULL);
  return G_SOURCE_REMOVE;
}

/* A stall was seen, or the clocks are apart. */
static gboolean
do_lose (gpointer user_data)
{
  Mux *self = user_data;
  g_autoptr (GError) error = NULL;
  gboolean is_told;

  g_mutex_lock (&self->lock);
  is_told = self->is_loss_told;
  g_mutex_unlock (&self->lock);
  if (!is_told)
    return G_SOURCE_REMOVE;
  error = g_error_new (DUB_ERROR, DUB_ERROR_TIMEOUT,
      "%s takes nothing, or not in time: connecting anew", self->shown_url);
  lose (self, error);
  return G_SOURCE_REMOVE;
}

static void
invoke (Mux *self, GSourceFunc func)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  /* Found by user data and removed when we are freed. */
  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, self->context);
}

/* -- from any thread, with the lock held --------------------------------- */

static void
clear_held_locked (Mux *self)
{
  for (guint i = 0; i < self->n_held; i++)
    g_bytes_unref (self->held[i].frame);
  self->n_held = 0;
}

static void
hold_locked (Mux *self, const DubCodedItem *item)
{
  if (self->n_held == MAX_HELD) {
    g_bytes_unref (self->held[0].frame);
    self->n_held--;
    memmove (self->held, self->held + 1, self->n_held * sizeof *self->held);
    self->stats.tags_dropped++;
  }
  self->held[self->n_held++] =
      (Held){.frame = g_bytes_ref (item->frame), .pts_ns = item->pts_ns};
}

static void
send_sound_locked (Mux *self, GBytes *frame, gint64 pts_ns)
{
  if (pts_ns >= self->sound_from_ns)
    dub_mux_link_push_sound (self->link, frame, pts_ns);
}

static void
send_held_locked (Mux *self)
{
  for (guint i = 0; i < self->n_held; i++)
    send_sound_locked (self, self->held[i].frame, self->held[i].pts_ns);
  clear_held_locked (self);
}

static gint64
dts_of (const DubAccessUnit *unit)
{
  return unit->dts_ns == DUB_TIME_NONE ? unit->pts_ns : unit->dts_ns;
}

static void
connect_locked (Mux *self, const DubAccessUnit *unit)
{
  const Held *held;

  self->is_connecting = TRUE;
  self->begun_ns = now_ns ();
  self->skew_ns = self->begun_ns - dts_of (unit);
  self->sent_codec = self->codec;
  self->stats.n_connections++;
  dub_mux_link_connect (self->link, self->codec, self->codec_data,
      self->sound_config, dts_of (unit));
  if (self->kind != DUB_MUX_RTSP)
    return;
  held = &self->held[self->n_held - 1];
  dub_mux_link_push_video (self->link, unit);
  dub_mux_link_push_sound (self->link, held->frame, held->pts_ns);
}

static void
begin_locked (Mux *self, const DubAccessUnit *unit)
{
  self->is_sending = TRUE;
  self->first_ns = self->pushed_ns = dts_of (unit);
  self->sound_from_ns = dts_of (unit) - PREROLL_NS;
  dub_mux_link_begin (self->link, self->sound_from_ns);
  send_held_locked (self);
}

static void
lose_later_locked (Mux *self)
{
  self->is_loss_told = TRUE;
  invoke (self, do_lose);
}

static gint64
waiting_ns_locked (Mux *self)
{
  DubMuxSent sent;

  if (!self->is_sending || !self->link)
    return 0;
  dub_mux_link_get_sent (self->link, &sent);
  return self->pushed_ns -
         CLAMP (sent.taken_ns, self->first_ns, self->pushed_ns);
}

static void
check_link_locked (Mux *self, const DubAccessUnit *unit)
{
  gint64 skew_ns = now_ns () - dts_of (unit) - self->skew_ns;
  gboolean is_apart = unit->is_key && ABS (skew_ns) > MAX_SKEW_NS;

  if (waiting_ns_locked (self) > MAX_WAITING_NS || is_apart) {
    lose_later_locked (self);
  } else if (!self->is_running_told && dub_mux_link_is_taken (self->link)) {
    self->is_running_told = TRUE;
    invoke (self, do_running);
  }
}

static gboolean
can_send_locked (Mux *self)
{
  return self->link && !self->is_finishing && !self->is_loss_told;
}

/* RTSP: what connects is not sent, so it need not be a key frame; but there
 * must be sound. */
static gboolean
may_connect_locked (Mux *self, const DubAccessUnit *unit)
{
  gboolean is_enough =
      self->kind == DUB_MUX_RTSP ? self->n_held > 0 : unit->is_key;

  return is_enough && !self->is_connecting && self->codec_data &&
         now_ns () >= self->retry_at_ns;
}

static void
start_locked (Mux *self, const DubAccessUnit *unit)
{
  if (may_connect_locked (self, unit))
    connect_locked (self, unit);
  if (!self->is_connecting)
    return;
  if (unit->is_key && dub_mux_link_is_ready (self->link))
    begin_locked (self, unit);
  else if (now_ns () - self->begun_ns > MAX_CONNECTING_NS)
    lose_later_locked (self);
}

static void
push_video_locked (Mux *self, const DubAccessUnit *unit)
{
  if (can_send_locked (self) && !self->is_sending)
    start_locked (self, unit);
  if (!can_send_locked (self) || !self->is_sending) {
    self->stats.tags_dropped++;
    return;
  }
  dub_mux_link_push_video (self->link, unit);
  self->pushed_ns = MAX (self->pushed_ns, dts_of (unit));
  check_link_locked (self, unit);
}

/* -- the backend --------------------------------------------------------- */

static void
push (gpointer instance, DubCodedItem *item)
{
  Mux *self = instance;

  g_mutex_lock (&self->lock);
  if (item->unit)
    push_video_locked (self, item->unit);
  else if (can_send_locked (self) && self->is_sending)
    send_sound_locked (self, item->frame, item->pts_ns);
  else
    hold_locked (self, item);
  g_mutex_unlock (&self->lock);
}

static void
configure (
    gpointer instance, DubVideoCodec codec, GBytes *codec_data, gint64 dts_ms)
{
  Mux *self = instance;

  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->codec_data, g_bytes_unref);
  self->codec_data = g_bytes_ref (codec_data);
  self->codec = codec;
  if (can_send_locked (self) && self->is_connecting) {
    if (codec == self->sent_codec)
      dub_mux_link_configure (self->link, codec, codec_data);
    else
      lose_later_locked (self);
  }
  g_mutex_unlock (&self->lock);
}

static gboolean
on_end_timer (gpointer user_data)
{
  end (user_data);
  return G_SOURCE_REMOVE;
}

static void
finish (gpointer instance, guint timeout_ms)
{
  Mux *self = instance;
  gboolean is_sending;

  g_mutex_lock (&self->lock);
  self->is_finishing = TRUE;
  is_sending = self->link && self->is_sending && !self->is_loss_told;
  if (is_sending)
    dub_mux_link_end (self->link);
  g_mutex_unlock (&self->lock);
  self->end_timer = g_timeout_source_new (is_sending ? timeout_ms : 0);
  g_source_set_callback (self->end_timer, on_end_timer, self, NULL);
  g_source_attach (self->end_timer, self->context);
}

static void
get_stats (gpointer instance, DubPublisherStats *ret_stats)
{
  Mux *self = instance;
  DubMuxSent sent = {0};

  g_mutex_lock (&self->lock);
  *ret_stats = self->stats;
  if (self->link)
    dub_mux_link_get_sent (self->link, &sent);
  ret_stats->tags_sent += sent.units;
  ret_stats->bytes_sent += sent.bytes;
  ret_stats->waiting_ms = waiting_ns_locked (self) / DUB_NS_PER_MS;
  g_mutex_unlock (&self->lock);
}

static void
destroy (gpointer instance)
{
  Mux *self = instance;
  GSource *source;

  if (self->end_timer) {
    g_source_destroy (self->end_timer);
    g_source_unref (self->end_timer);
  }
  close_link (self);
  while (
      (source = g_main_context_find_source_by_user_data (self->context, self)))
    g_source_destroy (source);
  clear_held_locked (self);
  g_clear_pointer (&self->codec_data, g_bytes_unref);
  g_bytes_unref (self->sound_config);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_free (self->url);
  g_free (self->shown_url);
  g_free (self);
}

static gpointer
create (DubMuxKind kind, const DubOutputOptions *options, GBytes *sound_config,
    DubPublisherStateFunc on_state, gpointer user_data)
{
  Mux *self = g_new0 (Mux, 1);

  g_mutex_init (&self->lock);
  self->kind = kind;
  self->url = g_strdup (options->url);
  self->shown_url = dub_redact_url (options->url);
  self->is_foreign = options->is_foreign;
  self->sound_config = g_bytes_ref (sound_config);
  self->context = g_main_context_ref_thread_default ();
  self->on_state = on_state;
  self->user_data = user_data;
  self->state = DUB_PUBLISHER_IDLE;
  self->stats.lost_since_ns = DUB_TIME_NONE;
  return self;
}

static gpointer
open_or_free (Mux *self, GError **error)
{
  if (open_link (self, error))
    return self;
  destroy (self);
  return NULL;
}

static gpointer
create_srt (const DubOutputOptions *options, GBytes *sound_config,
    DubPublisherStateFunc on_state, gpointer user_data, GError **error)
{
  return open_or_free (
      create (DUB_MUX_SRT, options, sound_config, on_state, user_data), error);
}

static gpointer
create_rtsp (const DubOutputOptions *options, GBytes *sound_config,
    DubPublisherStateFunc on_state, gpointer user_data, GError **error)
{
  return open_or_free (
      create (DUB_MUX_RTSP, options, sound_config, on_state, user_data), error);
}

static const char *const srt_schemes[] = {"srt", NULL};
static const char *const rtsp_schemes[] = {"rtsp", "rtsps", NULL};

const DubOutputBackend dub_srt_backend = {
    .schemes = srt_schemes,
    .create = create_srt,
    .destroy = destroy,
    .configure = configure,
    .push = push,
    .finish = finish,
    .get_stats = get_stats,
};

const DubOutputBackend dub_rtsp_backend = {
    .schemes = rtsp_schemes,
    .create = create_rtsp,
    .destroy = destroy,
    .configure = configure,
    .push = push,
    .finish = finish,
    .get_stats = get_stats,
};
