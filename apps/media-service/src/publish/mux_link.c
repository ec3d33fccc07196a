/* SPDX-License-Identifier: Apache-2.0 */
#include "mux_link.h"

#include "tcp_queue.h"

#include <dubbing_common/error.h>
#include <gst/app/gstappsrc.h>
#include <string.h>

#define MUX_LATENCY_NS (200 * DUB_NS_PER_MS)
/* Added to all times: the sound before the first picture has some, too. */
#define OFFSET_NS DUB_NS_PER_S
/* What parser, muxer and payloader may hold before the sink takes anything. */
#define TAKEN_PICTURES 4
#define ASK_INTERVAL_US 100000
#define SRT_TIMEOUT_MS 3000
/* MediaMTX lets who calls himself GStreamer wait a second for each track, for
 * what older ones sent too early. */
#define USER_AGENT "live-broadcast-dubbing/" DUB_VERSION
#define RTSP_TIMEOUT_US (5 * G_USEC_PER_SEC)

struct _DubMuxLink {
  gatomicrefcount ref_count;
  /* immutable */
  DubMuxKind kind;
  guint16 port; /* of the server */
  GstElement *pipeline;
  GstAppSrc *video, *sound;
  GstElement *sound_parser, *mux;
  GstElement *sink; /* of SRT */
  DubMuxMessageFunc on_message;
  gpointer user_data;
  GSource *bus_source; /* the owner's */

  GMutex life; /* held over a change of the pipeline's state */
  gboolean is_closed;

  GMutex lock;
  /* protected by lock */
  DubMuxSent sent;
  guint pictures;
  gint64 asked_us; /* when SRT was asked last */
  gboolean is_accepted;
  gboolean is_ready;     /* RTSP: recording */
  GstClockTime from_pts; /* what is earlier is not sent */
};

static void
link_unref (gpointer data)
{
  DubMuxLink *self = data;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  gst_clear_object (&self->video);
  gst_clear_object (&self->sound);
  gst_clear_object (&self->sound_parser);
  gst_clear_object (&self->mux);
  gst_clear_object (&self->sink);
  gst_clear_object (&self->pipeline);
  g_mutex_clear (&self->life);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static DubMuxLink *
link_ref (DubMuxLink *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/* -- on threads of GStreamer --------------------------------------------- */

static void
do_start (GstElement *pipeline, gpointer user_data)
{
  DubMuxLink *self = user_data;

  g_mutex_lock (&self->life);
  if (!self->is_closed)
    gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_mutex_unlock (&self->life);
}

static void
do_stop (GstElement *pipeline, gpointer user_data)
{
  DubMuxLink *self = user_data;

  g_mutex_lock (&self->life);
  self->is_closed = TRUE;
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_mutex_unlock (&self->life);
}

/* SRT takes packets for a peer that is not there yet; what it has acknowledged
 * tells. */
static void
do_ask_srt (GstElement *sink, gpointer user_data)
{
  DubMuxLink *self = user_data;
  GstStructure *stats = NULL;
  int acknowledged = 0;

  g_object_get (sink, "stats", &stats, NULL);
  if (stats)
    gst_structure_get_int (stats, "packet-ack-received", &acknowledged);
  g_clear_pointer (&stats, gst_structure_free);
  g_mutex_lock (&self->lock);
  self->is_accepted = acknowledged > 0;
  g_mutex_unlock (&self->lock);
}

/* A unit has left the queue. */
static GstPadProbeReturn
on_left (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  DubMuxLink *self = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  gboolean is_picture = GST_PAD_PARENT (pad) == GST_ELEMENT (self->video);

  g_mutex_lock (&self->lock);
  self->sent.units++;
  self->sent.bytes += gst_buffer_get_size (buffer);
  if (is_picture) {
    self->pictures++;
    self->sent.taken_ns = (gint64) GST_BUFFER_DTS (buffer) - OFFSET_NS;
  }
  g_mutex_unlock (&self->lock);
  return GST_PAD_PROBE_OK;
}

/* What comes before begin () only tells rtspclientsink the formats. A sink goes
 * by the dts, servers by the pts of what comes first. */
static GstPadProbeReturn
on_about_to_send (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  DubMuxLink *self = user_data;
  g_autoptr (GstElement) sink = gst_pad_get_parent_element (pad);
  const GstBuffer *buffer =
      info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST
          ? gst_buffer_list_get (GST_PAD_PROBE_INFO_BUFFER_LIST (info), 0)
          : GST_PAD_PROBE_INFO_BUFFER (info);
  gint64 reorder_ns = 0;
  gboolean is_early;

  g_mutex_lock (&self->lock);
  is_early = GST_BUFFER_PTS (buffer) < self->from_pts;
  g_mutex_unlock (&self->lock);
  if (is_early)
    return GST_PAD_PROBE_DROP;
  if (GST_BUFFER_DTS_IS_VALID (buffer))
    reorder_ns =
        GST_CLOCK_DIFF (GST_BUFFER_DTS (buffer), GST_BUFFER_PTS (buffer));
  g_object_set (sink, "ts-offset", MUX_LATENCY_NS + reorder_ns, NULL);
  return GST_PAD_PROBE_REMOVE;
}

/* rtspclientsink makes one for each track's RTP, which goes by the clock, and
 * one for its RTCP, which does not. Servers lay the tracks by when their first
 * packets come: so each leaves when it is due, a little later than it can be
 * there. It waits for no preroll, since what would be it is dropped, and wants
 * no time to show what it sends: for that it would ask for queues in a warning.
 */
static void
on_element_added (
    GstBin *bin, GstBin *parent, GstElement *element, gpointer user_data)
{
  DubMuxLink *self = user_data;
  GstElementFactory *factory = gst_element_get_factory (element);
  g_autoptr (GstPad) pad = NULL;
  gboolean is_synced;

  if (!factory || strcmp (GST_OBJECT_NAME (factory), "appsink") != 0)
    return;
  g_object_get (element, "sync", &is_synced, NULL);
  if (!is_synced)
    return;
  g_object_set (
      element, "async", FALSE, "processing-deadline", (guint64) 0, NULL);
  pad = gst_element_get_static_pad (element, "sink");
  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST,
      on_about_to_send, self, NULL);
}

/* Its reports are to say which times of the tracks are the same, not when they
 * were sent. */
static void
on_new_manager (GstElement *sink, GstElement *manager, gpointer user_data)
{
  g_object_set (manager, "rtcp-sync-send-time", FALSE, NULL);
}

/* -- building ------------------------------------------------------------ */

/* rtspclientsink starts the bin in it when the server has answered RECORD. */
static gboolean
is_recording (DubMuxLink *self, GstMessage *message)
{
  GstObject *source = GST_MESSAGE_SRC (message);
  GstState state;

  if (self->kind != DUB_MUX_RTSP ||
      GST_MESSAGE_TYPE (message) != GST_MESSAGE_STATE_CHANGED ||
      GST_OBJECT_PARENT (source) != GST_OBJECT (self->mux) ||
      !GST_IS_BIN (source))
    return FALSE;
  gst_message_parse_state_changed (message, NULL, &state, NULL);
  return state == GST_STATE_PLAYING;
}

static gboolean
on_bus_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  DubMuxLink *self = user_data;

  if (is_recording (self, message)) {
    /* The second frame of sound would wait for the acknowledgement of the
     * first, 40 ms, and the picture behind it. */
    dub_tcp_queue_set_no_delay (self->port);
    g_mutex_lock (&self->lock);
    self->is_ready = TRUE;
    g_mutex_unlock (&self->lock);
  }
  self->on_message (message, self->user_data);
  return G_SOURCE_CONTINUE;
}

/* (transfer none): the bin's. */
static GstElement *
add (DubMuxLink *self, const char *factory, GError **error)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (!element) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "the GStreamer element %s is not installed", factory);
    return NULL;
  }
  gst_bin_add (GST_BIN (self->pipeline), element);
  return element;
}

static GstAppSrc *
add_source (DubMuxLink *self, GError **error)
{
  GstElement *source = add (self, "appsrc", error);
  g_autoptr (GstPad) pad = NULL;

  if (!source)
    return NULL;
  g_object_set (source, "format", GST_FORMAT_TIME, "is-live", TRUE, "block",
      FALSE, "max-bytes", G_GUINT64_CONSTANT (0), NULL);
  pad = gst_element_get_static_pad (source, "src");
  /* We live until the pipeline has stopped. */
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_left, self, NULL);
  return gst_object_ref (GST_APP_SRC (source));
}

static GstElement *
add_srt (DubMuxLink *self, const char *url, GError **error)
{
  GstElement *mux = add (self, "mpegtsmux", error);
  GstElement *sink = mux ? add (self, "srtsink", error) : NULL;

  if (!sink)
    return NULL;
  /* Seven packets of 188 bytes are one of SRT's. */
  g_object_set (mux, "alignment", 7, "latency", (guint64) MUX_LATENCY_NS, NULL);
  g_object_set (sink, "uri", url, "sync", FALSE, "async", FALSE,
      "auto-reconnect", FALSE, "wait-for-connection", TRUE, "poll-timeout",
      SRT_TIMEOUT_MS, NULL);
  self->sink = gst_object_ref (sink);
  return gst_element_link (mux, sink) ? mux : NULL;
}

static GstElement *
add_rtsp (DubMuxLink *self, const char *url, GError **error)
{
  GstElement *sink = add (self, "rtspclientsink", error);

  if (!sink)
    return NULL;
  g_object_set (sink, "location", url, "protocols", 4 /* TCP */, "latency",
      (guint) (MUX_LATENCY_NS / DUB_NS_PER_MS), "rtx-time", 0, "tcp-timeout",
      (guint64) RTSP_TIMEOUT_US, "user-agent", USER_AGENT, NULL);
  g_signal_connect (sink, "new-manager", G_CALLBACK (on_new_manager), NULL);
  g_signal_connect (self->pipeline, "deep-element-added",
      G_CALLBACK (on_element_added), self);
  return sink;
}

static const char *
parser_of (DubVideoCodec codec)
{
  return codec == DUB_VIDEO_CODEC_H265 ? "h265parse" : "h264parse";
}

static gboolean
build (DubMuxLink *self, const char *url, GError **error)
{
  /* Which one is known at the first picture; it is loaded here. */
  g_autoptr (GstElement) loaded = gst_element_factory_make ("h264parse", NULL);
  GstElement *parser;

  if (loaded)
    gst_object_ref_sink (loaded);
  self->mux = self->kind == DUB_MUX_SRT ? add_srt (self, url, error)
                                        : add_rtsp (self, url, error);
  if (!self->mux || !(self->video = add_source (self, error)) ||
      !(self->sound = add_source (self, error)) ||
      !(parser = add (self, "aacparse", error)))
    return FALSE;
  gst_object_ref (self->mux);
  self->sound_parser = gst_object_ref (parser);
  gst_element_link (GST_ELEMENT (self->sound), parser);
  return TRUE;
}

DubMuxLink *
dub_mux_link_new (DubMuxKind kind, const char *url,
    DubMuxMessageFunc on_message, gpointer user_data, GError **error)
{
  DubMuxLink *self = g_new0 (DubMuxLink, 1);
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();
  g_autoptr (GstBus) bus = NULL;

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->life);
  g_mutex_init (&self->lock);
  self->kind = kind;
  self->port = dub_tcp_queue_port_of (url);
  self->sent.taken_ns = G_MININT64;
  self->is_ready = kind == DUB_MUX_SRT;
  self->from_pts = GST_CLOCK_TIME_NONE;
  self->on_message = on_message;
  self->user_data = user_data;
  self->pipeline = gst_object_ref_sink (gst_pipeline_new ("publish"));
  if (!build (self, url, error)) {
    link_unref (self);
    return NULL;
  }
  gst_pipeline_use_clock (GST_PIPELINE (self->pipeline), clock);
  bus = gst_element_get_bus (self->pipeline);
  self->bus_source = gst_bus_create_watch (bus);
  g_source_set_callback (
      self->bus_source, G_SOURCE_FUNC (on_bus_message), self, NULL);
  g_source_attach (self->bus_source, context);
  return self;
}

void
dub_mux_link_close (DubMuxLink *self)
{
  g_source_destroy (self->bus_source);
  g_clear_pointer (&self->bus_source, g_source_unref);
  gst_element_call_async (self->pipeline, do_stop, self, link_unref);
}

/* -- media --------------------------------------------------------------- */

static GstCaps *
video_caps (DubVideoCodec codec, GBytes *codec_data)
{
  g_autoptr (GstBuffer) config = gst_buffer_new_wrapped_bytes (codec_data);
  gboolean is_h265 = codec == DUB_VIDEO_CODEC_H265;

  return gst_caps_new_simple (is_h265 ? "video/x-h265" : "video/x-h264",
      "stream-format", G_TYPE_STRING, is_h265 ? "hvc1" : "avc", "alignment",
      G_TYPE_STRING, "au", "codec_data", GST_TYPE_BUFFER, config, NULL);
}

static void
set_sound_caps (DubMuxLink *self, GBytes *sound_config)
{
  g_autoptr (GstBuffer) config = gst_buffer_new_wrapped_bytes (sound_config);
  g_autoptr (GstCaps) caps = gst_caps_new_simple ("audio/mpeg", "mpegversion",
      G_TYPE_INT, 4, "stream-format", G_TYPE_STRING, "raw", "rate", G_TYPE_INT,
      DUB_PROGRAMME_RATE_HZ, "channels", G_TYPE_INT, DUB_PROGRAMME_CHANNELS,
      "codec_data", GST_TYPE_BUFFER, config, NULL);

  gst_app_src_set_caps (self->sound, caps);
}

/* Parameter sets go in band before each key frame, too: a reader that comes
 * later needs them. */
static void
link_tracks (DubMuxLink *self, DubVideoCodec codec)
{
  GstElement *parser = add (self, parser_of (codec), NULL);

  if (!parser)
    return;
  g_object_set (parser, "config-interval", -1, NULL);
  gst_element_link_many (GST_ELEMENT (self->video), parser, self->mux, NULL);
  gst_element_link (self->sound_parser, self->mux);
}

void
dub_mux_link_connect (DubMuxLink *self, DubVideoCodec codec, GBytes *codec_data,
    GBytes *sound_config, gint64 dts_ns)
{
  g_autoptr (GstClock) clock = gst_system_clock_obtain ();

  link_tracks (self, codec);
  dub_mux_link_configure (self, codec, codec_data);
  set_sound_caps (self, sound_config);
  gst_element_set_start_time (self->pipeline, GST_CLOCK_TIME_NONE);
  gst_element_set_base_time (self->pipeline,
      gst_clock_get_time (clock) - (GstClockTime) (dts_ns + OFFSET_NS));
  gst_element_call_async (
      self->pipeline, do_start, link_ref (self), link_unref);
}

gboolean
dub_mux_link_is_ready (DubMuxLink *self)
{
  gboolean answer;

  g_mutex_lock (&self->lock);
  answer = self->is_ready;
  g_mutex_unlock (&self->lock);
  return answer;
}

void
dub_mux_link_begin (DubMuxLink *self, gint64 from_ns)
{
  g_mutex_lock (&self->lock);
  self->from_pts = (GstClockTime) MAX (0, from_ns + OFFSET_NS);
  self->pictures = 0;
  g_mutex_unlock (&self->lock);
}

void
dub_mux_link_configure (
    DubMuxLink *self, DubVideoCodec codec, GBytes *codec_data)
{
  g_autoptr (GstCaps) caps = video_caps (codec, codec_data);

  gst_app_src_set_caps (self->video, caps);
}

void
dub_mux_link_push_video (DubMuxLink *self, const DubAccessUnit *unit)
{
  gint64 dts_ns = unit->dts_ns == DUB_TIME_NONE ? unit->pts_ns : unit->dts_ns;
  GstBuffer *buffer = gst_buffer_new_wrapped_bytes (unit->data);

  GST_BUFFER_PTS (buffer) = (GstClockTime) (unit->pts_ns + OFFSET_NS);
  GST_BUFFER_DTS (buffer) = (GstClockTime) (dts_ns + OFFSET_NS);
  if (!unit->is_key)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  gst_app_src_push_buffer (self->video, buffer);
}

void
dub_mux_link_push_sound (DubMuxLink *self, GBytes *frame, gint64 pts_ns)
{
  GstBuffer *buffer = gst_buffer_new_wrapped_bytes (frame);

  GST_BUFFER_PTS (buffer) = (GstClockTime) MAX (0, pts_ns + OFFSET_NS);
  gst_app_src_push_buffer (self->sound, buffer);
}

void
dub_mux_link_end (DubMuxLink *self)
{
  gst_app_src_end_of_stream (self->video);
  gst_app_src_end_of_stream (self->sound);
}

void
dub_mux_link_get_sent (DubMuxLink *self, DubMuxSent *ret_sent)
{
  g_mutex_lock (&self->lock);
  *ret_sent = self->sent;
  g_mutex_unlock (&self->lock);
}

gboolean
dub_mux_link_is_taken (DubMuxLink *self)
{
  gint64 now_us = g_get_monotonic_time ();
  gboolean answer, wants_to_ask;

  g_mutex_lock (&self->lock);
  answer = self->pictures > TAKEN_PICTURES;
  wants_to_ask = answer && self->sink && !self->is_accepted &&
                 now_us - self->asked_us > ASK_INTERVAL_US;
  if (self->sink)
    answer = self->is_accepted;
  if (wants_to_ask)
    self->asked_us = now_us;
  g_mutex_unlock (&self->lock);
  if (wants_to_ask)
    gst_element_call_async (
        self->sink, do_ask_srt, link_ref (self), link_unref);
  return answer;
}
