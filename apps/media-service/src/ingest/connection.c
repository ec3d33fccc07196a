/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#define DUB_LOG_TOPIC "media.ingest"
#include "avcc.h"
#include "ingest.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <gst/app/gstappsink.h>
#include <media_service/safe_text.h>
#include <stdatomic.h>
#include <string.h>

typedef struct {
  const char *scheme;
  const char *element;
  gboolean is_live; /* comes at its own pace; a file is paced by its times */
} Source;

static const Source sources[] = {
    {"rtmp", "rtmp2src", TRUE},
    {"rtmps", "rtmp2src", TRUE},
    {"file", "filesrc", FALSE},
};

typedef struct {
  const char *media;
  const char *factory;
} Decoder;

/* audio/mpeg is split by version in decoder_for (). */
static const Decoder decoders[] = {
    {"audio/mpeg-4", "avdec_aac"},
    {"audio/mpeg-2", "avdec_aac"},
    {"audio/mpeg-1", "avdec_mp3"},
    {"audio/x-opus", "avdec_opus"},
    {"audio/x-ac3", "avdec_ac3"},
};

struct _DubConnection {
  /* immutable */
  char *url;
  char *shown_url;
  const Source *source;
  DubQueue *queue;
  GstElement *pipeline;

  /* the owner's thread only */
  GSource *bus_source;
  DubConnectionEndFunc on_end;
  gpointer user_data;
  gboolean has_ended;

  /* the streaming thread only */
  GstCaps *video_caps;
  GBytes *codec_data;

  /* any thread */
  gint64 started_ns;
  _Atomic gint64 first_packet_ns;
  _Atomic gint64 last_packet_ns;
  _Atomic guint64 n_video;
  _Atomic guint64 n_sound;
  _Atomic gboolean has_video_track;
  _Atomic gboolean has_sound_track;
};

static gint64
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

/* -- from the streaming thread ------------------------------------------- */

typedef struct {
  GstBuffer *buffer;
  GstMapInfo map;
} MappedBuffer;

static void
mapped_buffer_free (gpointer data)
{
  MappedBuffer *mapped = data;

  gst_buffer_unmap (mapped->buffer, &mapped->map);
  gst_buffer_unref (mapped->buffer);
  g_free (mapped);
}

/* The bytes of a buffer without a copy; NULL when it cannot be mapped. */
static GBytes *
bytes_of_buffer (GstBuffer *buffer)
{
  MappedBuffer *mapped = g_new (MappedBuffer, 1);

  if (!gst_buffer_map (buffer, &mapped->map, GST_MAP_READ)) {
    g_free (mapped);
    return NULL;
  }
  mapped->buffer = gst_buffer_ref (buffer);
  return g_bytes_new_with_free_func (
      mapped->map.data, mapped->map.size, mapped_buffer_free, mapped);
}

static void
push_item (DubConnection *self, DubIngestItemKind kind, DubAccessUnit *unit,
    DubPcm *pcm, guint64 cost)
{
  DubIngestItem *item = g_new0 (DubIngestItem, 1);

  item->kind = kind;
  item->arrival_ns = now_ns ();
  item->unit = unit;
  item->pcm = pcm;
  if (self->first_packet_ns == DUB_TIME_NONE)
    self->first_packet_ns = item->arrival_ns;
  self->last_packet_ns = item->arrival_ns;
  dub_queue_push (self->queue, item, cost);
}

/* The new codec data when it is not what it was. (transfer full) */
static GBytes *
take_new_codec_data (DubConnection *self, GstCaps *caps)
{
  g_autoptr (GBytes) bytes = NULL;
  GstBuffer *buffer = NULL;

  if (caps == self->video_caps)
    return NULL;
  gst_caps_replace (&self->video_caps, caps);
  gst_structure_get (gst_caps_get_structure (caps, 0), "codec_data",
      GST_TYPE_BUFFER, &buffer, NULL);
  if (!buffer)
    return NULL;
  bytes = bytes_of_buffer (buffer);
  gst_buffer_unref (buffer);
  if (!bytes || (self->codec_data && g_bytes_equal (bytes, self->codec_data)))
    return NULL;
  g_clear_pointer (&self->codec_data, g_bytes_unref);
  self->codec_data = g_bytes_ref (bytes);
  return g_steal_pointer (&bytes);
}

static gint64
time_or_none (GstClockTime time)
{
  return GST_CLOCK_TIME_IS_VALID (time) ? (gint64) time : DUB_TIME_NONE;
}

/* New parameter sets, from the caps or, where a server tells them in band
 * only, from the key frame itself. (transfer full) */
static GBytes *
codec_data_for (
    DubConnection *self, GstCaps *caps, GBytes *unit, gboolean is_key)
{
  g_autoptr (GBytes) from_caps = take_new_codec_data (self, caps);
  GBytes *in_band = is_key && self->codec_data
                        ? dub_avcc_update (self->codec_data, unit)
                        : NULL;

  if (!in_band)
    return g_steal_pointer (&from_caps);
  g_bytes_unref (self->codec_data);
  self->codec_data = g_bytes_ref (in_band);
  return in_band;
}

static void
take_picture (DubConnection *self, GstBuffer *buffer, GstCaps *caps)
{
  GBytes *bytes = bytes_of_buffer (buffer);
  DubAccessUnit *unit;
  gint64 pts_ns = time_or_none (GST_BUFFER_PTS (buffer));
  gint64 dts_ns = time_or_none (GST_BUFFER_DTS (buffer));
  gboolean is_key =
      !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  GBytes *codec_data;

  if (!bytes)
    return;
  if (pts_ns == DUB_TIME_NONE)
    pts_ns = dts_ns;
  codec_data = codec_data_for (self, caps, bytes, is_key);
  unit = dub_access_unit_new (
      DUB_VIDEO_CODEC_H264, bytes, codec_data, pts_ns, dts_ns, is_key);
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    unit->duration_ns = (gint64) GST_BUFFER_DURATION (buffer);
  self->n_video++;
  push_item (
      self, DUB_INGEST_ITEM_VIDEO, unit, NULL, gst_buffer_get_size (buffer));
}

static GstFlowReturn
on_video_sample (GstAppSink *sink, gpointer user_data)
{
  DubConnection *self = user_data;
  GstSample *sample = gst_app_sink_pull_sample (sink);
  GstBuffer *buffer = sample ? gst_sample_get_buffer (sample) : NULL;

  if (buffer && gst_buffer_get_size (buffer) > 0)
    take_picture (self, buffer, gst_sample_get_caps (sample));
  g_clear_pointer (&sample, gst_sample_unref);
  return GST_FLOW_OK;
}

static GstFlowReturn
on_sound_sample (GstAppSink *sink, gpointer user_data)
{
  DubConnection *self = user_data;
  GstSample *sample = gst_app_sink_pull_sample (sink);
  GstBuffer *buffer = sample ? gst_sample_get_buffer (sample) : NULL;
  GBytes *bytes = buffer ? bytes_of_buffer (buffer) : NULL;
  const gsize frame_size = DUB_PROGRAMME_CHANNELS * sizeof (gint16);

  if (bytes && g_bytes_get_size (bytes) >= frame_size &&
      g_bytes_get_size (bytes) % frame_size == 0) {
    DubPcm *pcm = dub_pcm_new (g_steal_pointer (&bytes), DUB_PROGRAMME_RATE_HZ,
        DUB_PROGRAMME_CHANNELS, time_or_none (GST_BUFFER_PTS (buffer)));

    self->n_sound++;
    push_item (
        self, DUB_INGEST_ITEM_SOUND, NULL, pcm, gst_buffer_get_size (buffer));
  }
  g_clear_pointer (&bytes, g_bytes_unref);
  g_clear_pointer (&sample, gst_sample_unref);
  return GST_FLOW_OK;
}

/* -- the pipeline -------------------------------------------------------- */

/* Ends the connection from the streaming thread, by way of the bus. */
static void
post_error (DubConnection *self, GError *error)
{
  gst_element_post_message (self->pipeline,
      gst_message_new_error (GST_OBJECT (self->pipeline), error, NULL));
  g_error_free (error);
}

static GstElement *
add_element (DubConnection *self, const char *factory, GError **error)
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

static GstElement *
add_sink (DubConnection *self,
    GstFlowReturn (*on_sample) (GstAppSink *, gpointer), GstCaps *caps,
    GError **error)
{
  GstAppSinkCallbacks callbacks = {.new_sample = on_sample};
  GstElement *sink = add_element (self, "appsink", error);

  if (!sink)
    return NULL;
  g_object_set (sink, "sync", !self->source->is_live, "async",
      !self->source->is_live, "enable-last-sample", FALSE, "caps", caps, NULL);
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, self, NULL);
  return sink;
}

/* A file's tracks are paced apart, so each needs a thread of its own. */
static GstPad *
entry_of (DubConnection *self, GstElement *first, GError **error)
{
  GstElement *queue;

  if (self->source->is_live)
    return gst_element_get_static_pad (first, "sink");
  queue = add_element (self, "queue", error);
  if (!queue)
    return NULL;
  gst_element_link (queue, first);
  gst_element_sync_state_with_parent (queue);
  return gst_element_get_static_pad (queue, "sink");
}

static gboolean
link_chain (DubConnection *self, GstPad *pad, GstElement **chain, guint n,
    GError **error)
{
  g_autoptr (GstPad) first = NULL;

  for (guint i = n; i-- > 0;) {
    if (i + 1 < n && !gst_element_link (chain[i], chain[i + 1]))
      goto no_link;
    gst_element_sync_state_with_parent (chain[i]);
  }
  first = entry_of (self, chain[0], error);
  if (!first)
    return FALSE;
  if (gst_pad_link (pad, first) == GST_PAD_LINK_OK)
    return TRUE;
no_link:
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "the elements after the demuxer do not take its data");
  return FALSE;
}

static gboolean
add_video (DubConnection *self, GstPad *pad, GstCaps *caps, GError **error)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  g_autoptr (GstCaps) wanted = NULL;
  GstElement *sink;

  if (!gst_structure_has_name (s, "video/x-h264")) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "its video is %s; only H.264 is taken", gst_structure_get_name (s));
    return FALSE;
  }
  self->has_video_track = TRUE;
  wanted = gst_caps_from_string ("video/x-h264, stream-format=(string)avc");
  sink = add_sink (self, on_video_sample, wanted, error);
  return sink && link_chain (self, pad, &sink, 1, error);
}

static const char *
decoder_for (const GstStructure *s)
{
  g_autofree char *name = NULL;
  int version = 0;

  if (gst_structure_get_int (s, "mpegversion", &version))
    name = g_strdup_printf ("%s-%d", gst_structure_get_name (s), version);
  else
    name = g_strdup (gst_structure_get_name (s));
  for (guint i = 0; i < G_N_ELEMENTS (decoders); i++)
    if (strcmp (decoders[i].media, name) == 0)
      return decoders[i].factory;
  return NULL;
}

static gboolean
add_sound (DubConnection *self, GstPad *pad, GstCaps *caps, GError **error)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const char *decoder = decoder_for (s);
  g_autoptr (GstCaps) wanted = gst_caps_new_simple ("audio/x-raw", "format",
      G_TYPE_STRING, "S16LE", "layout", G_TYPE_STRING, "interleaved", "rate",
      G_TYPE_INT, DUB_PROGRAMME_RATE_HZ, "channels", G_TYPE_INT,
      DUB_PROGRAMME_CHANNELS, NULL);
  GstElement *chain[4];

  if (!decoder) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "its sound is %s; taken are AAC, MP3, Opus and AC-3",
        gst_structure_get_name (s));
    return FALSE;
  }
  self->has_sound_track = TRUE;
  if (!(chain[0] = add_element (self, decoder, error)) ||
      !(chain[1] = add_element (self, "audioconvert", error)) ||
      !(chain[2] = add_element (self, "audioresample", error)) ||
      !(chain[3] = add_sink (self, on_sound_sample, wanted, error)))
    return FALSE;
  /* Broken packets cost their own sound, never the connection. */
  g_object_set (chain[0], "max-errors", -1, NULL);
  /* No noise is added to what is kept as it was. */
  gst_util_set_object_arg (G_OBJECT (chain[1]), "dithering", "none");
  return link_chain (self, pad, chain, 4, error);
}

static void
on_pad_added (GstElement *demux, GstPad *pad, gpointer user_data)
{
  DubConnection *self = user_data;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GError *error = NULL;
  const char *name;

  if (!caps)
    caps = gst_pad_query_caps (pad, NULL);
  if (gst_caps_is_empty (caps) || gst_caps_is_any (caps))
    return;
  name = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  if (g_str_has_prefix (name, "video/") && !self->has_video_track)
    add_video (self, pad, caps, &error);
  else if (g_str_has_prefix (name, "audio/") && !self->has_sound_track)
    add_sound (self, pad, caps, &error);
  if (error)
    post_error (self, error);
}

static const Source *
source_for (const char *url)
{
  g_autofree char *scheme = url ? g_uri_parse_scheme (url) : NULL;

  for (guint i = 0; scheme && i < G_N_ELEMENTS (sources); i++)
    if (g_ascii_strcasecmp (sources[i].scheme, scheme) == 0)
      return &sources[i];
  return NULL;
}

gboolean
dub_connection_check_url (const char *url, GError **error)
{
  g_autofree char *shown = NULL;

  if (!url || !*url) {
    g_set_error (
        error, DUB_ERROR, DUB_ERROR_INVALID, "the input URL cannot be empty");
    return FALSE;
  }
  if (source_for (url))
    return TRUE;
  shown = dub_redact_url (url);
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "the input URL %s must start with 'rtmp://', 'rtmps://' or 'file://'",
      shown);
  return FALSE;
}

static gboolean
set_location (DubConnection *self, GstElement *source, GError **error)
{
  g_autofree char *path = NULL;

  if (self->source->is_live) {
    g_object_set (source, "location", self->url, NULL);
    return TRUE;
  }
  path = g_filename_from_uri (self->url, NULL, error);
  if (!path)
    return FALSE;
  g_object_set (source, "location", path, NULL);
  return TRUE;
}

static const char *
demuxer_for (const DubConnection *self)
{
  if (!self->source->is_live && !g_str_has_suffix (self->url, ".flv"))
    return "qtdemux";
  return "flvdemux";
}

static gboolean
build (DubConnection *self, GError **error)
{
  GstElement *source, *demux;

  self->pipeline = gst_object_ref_sink (gst_pipeline_new ("ingest"));
  source = add_element (self, self->source->element, error);
  if (!source || !set_location (self, source, error))
    return FALSE;
  demux = add_element (self, demuxer_for (self), error);
  if (!demux)
    return FALSE;
  g_signal_connect (demux, "pad-added", G_CALLBACK (on_pad_added), self);
  return gst_element_link (source, demux);
}

DubConnection *
dub_connection_new (const char *url, DubQueue *queue, GError **error)
{
  g_autoptr (DubConnection) self = NULL;

  if (!dub_connection_check_url (url, error))
    return NULL;
  self = g_new0 (DubConnection, 1);
  self->url = g_strdup (url);
  self->shown_url = dub_redact_url (url);
  self->source = source_for (url);
  self->queue = dub_queue_ref (queue);
  if (!build (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
dub_connection_free (DubConnection *self)
{
  if (!self)
    return;
  if (self->bus_source) {
    g_source_destroy (self->bus_source);
    g_source_unref (self->bus_source);
  }
  if (self->pipeline) {
    gst_element_set_state (self->pipeline, GST_STATE_NULL);
    gst_object_unref (self->pipeline);
  }
  gst_clear_caps (&self->video_caps);
  g_clear_pointer (&self->codec_data, g_bytes_unref);
  dub_queue_unref (self->queue);
  g_free (self->url);
  g_free (self->shown_url);
  g_free (self);
}

/* -- the owner's thread -------------------------------------------------- */

static int
code_for (const GError *error)
{
  if (error->domain == DUB_ERROR)
    return error->code;
  if (g_error_matches (
          error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED))
    return DUB_ERROR_AUTH;
  if (error->domain == GST_RESOURCE_ERROR)
    return DUB_ERROR_UNAVAILABLE;
  if (error->domain == GST_STREAM_ERROR &&
      error->code != GST_STREAM_ERROR_FAILED)
    return DUB_ERROR_UNSUPPORTED;
  return DUB_ERROR_DISCONNECTED;
}

/* GStreamer's debug text ends with the line that names the cause. */
static const char *
last_line (const char *text)
{
  const char *line = text ? strrchr (text, '\n') : NULL;

  return line && line[1] ? line + 1 : NULL;
}

static GError *
describe (const DubConnection *self, const GError *error, const char *debug)
{
  const char *cause = last_line (debug);
  g_autofree char *text = cause && error->domain != DUB_ERROR
                              ? g_strdup_printf ("%s %s", error->message, cause)
                              : g_strdup (error->message);
  g_autofree char *safe = dub_safe_text (text, self->url);

  return g_error_new (
      DUB_ERROR, code_for (error), "cannot read %s: %s", self->shown_url, safe);
}

static void
end (DubConnection *self, const GError *error)
{
  if (self->has_ended)
    return;
  self->has_ended = TRUE;
  self->on_end (error, self->user_data);
}

static void
end_with_message (DubConnection *self, GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) told = NULL;
  g_autofree char *debug = NULL;

  gst_message_parse_error (message, &error, &debug);
  /* The demuxer's word for a server that closed before it sent anything. */
  if (error->domain == GST_STREAM_ERROR && self->n_video + self->n_sound == 0 &&
      debug && strstr (debug, "EOS before any data")) {
    g_clear_error (&error);
    error = g_error_new_literal (DUB_ERROR, DUB_ERROR_UNAVAILABLE,
        "the server closed the connection before any data"
        " (no such stream yet, or refused)");
  }
  told = describe (self, error, debug);
  end (self, told);
}

static void
end_with_eos (DubConnection *self)
{
  g_autoptr (GError) error = NULL;

  if (self->source->is_live)
    error = g_error_new (DUB_ERROR, DUB_ERROR_DISCONNECTED,
        "%s: the server ended the stream", self->shown_url);
  end (self, error);
}

static gboolean
on_bus_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  DubConnection *self = user_data;

  /* The end callback may free us: nothing is touched after it. */
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      end_with_message (self, message);
      break;
    case GST_MESSAGE_EOS:
      end_with_eos (self);
      break;
    case GST_MESSAGE_ASYNC_DONE:
      gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
      break;
    default:
      break;
  }
  return G_SOURCE_CONTINUE;
}

void
dub_connection_start (
    DubConnection *self, DubConnectionEndFunc on_end, gpointer user_data)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);

  self->on_end = on_end;
  self->user_data = user_data;
  self->started_ns = now_ns ();
  self->last_packet_ns = self->started_ns;
  self->bus_source = gst_bus_create_watch (bus);
  g_source_set_callback (
      self->bus_source, G_SOURCE_FUNC (on_bus_message), self, NULL);
  g_source_attach (self->bus_source, g_main_context_get_thread_default ());
  push_item (self, DUB_INGEST_ITEM_CONNECTED, NULL, NULL, 1);
  self->first_packet_ns = DUB_TIME_NONE;
  /* A file's sinks come while the pipeline starts; were it playing by then,
   * they might not know its base time yet and would not wait for any. */
  gst_element_set_state (self->pipeline,
      self->source->is_live ? GST_STATE_PLAYING : GST_STATE_PAUSED);
}

void
dub_connection_get_stats (DubConnection *self, DubConnectionStats *ret_stats)
{
  *ret_stats = (DubConnectionStats){
      .started_ns = self->started_ns,
      .first_packet_ns = self->first_packet_ns,
      .last_packet_ns = self->last_packet_ns,
      .n_video = self->n_video,
      .n_sound = self->n_sound,
      .has_sound_track = self->has_sound_track,
      .has_video_track = self->has_video_track,
  };
}
