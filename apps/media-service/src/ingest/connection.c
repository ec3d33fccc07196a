/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#define DUB_LOG_TOPIC "media.ingest"
#include "avcc.h"
#include "inlet.h"
#include "pipeline.h"
#include "reorder.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <media_service/gst_bus.h>
#include <media_service/safe_text.h>
#include <stdatomic.h>
#include <string.h>

struct _DubConnection {
  /* immutable */
  char *url;
  char *shown_url;
  const DubPipelineSource *source;
  gboolean is_fast;
  DubQueue *queue;
  DubInlet *inlet;
  GstElement *pipeline;

  /* the owner's thread only */
  GSource *bus_source;
  const DubConnectionFuncs *funcs;
  gpointer user_data;
  gboolean has_ended;

  /* the streaming thread only */
  GstCaps *video_caps;
  GBytes *codec_data;
  gboolean has_key_frame;
  guint width, height;

  /* any thread */
  gint64 started_ns;
  _Atomic gboolean is_closing;
  _Atomic gint64 first_packet_ns;
  _Atomic gint64 last_packet_ns;
  _Atomic guint64 n_video;
  _Atomic guint64 n_sound;
  _Atomic gboolean has_video_track;
  _Atomic gboolean has_sound_track;
};

/* A file that is read fast waits while so much is in the queue. It looks again
 * after a while: the queue's reader must not wait for us in turn. */
#define FAST_MAX_ITEMS 1024
#define FAST_WAIT_US 2000

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

/* The owner's thread learns of the first by the bus. */
static void
note_packet (DubConnection *self, gint64 arrival_ns)
{
  self->last_packet_ns = arrival_ns;
  if (self->first_packet_ns != DUB_TIME_NONE)
    return;
  self->first_packet_ns = arrival_ns;
  gst_element_post_message (
      self->pipeline, gst_message_new_application (GST_OBJECT (self->pipeline),
                          gst_structure_new_empty ("packets")));
}

static void
wait_for_room (DubConnection *self)
{
  DubQueueStats stats;

  for (;;) {
    dub_queue_get_stats (self->queue, &stats);
    if (stats.items < FAST_MAX_ITEMS || self->is_closing)
      return;
    g_usleep (FAST_WAIT_US);
  }
}

static void
push_item (DubConnection *self, DubIngestItemKind kind, DubAccessUnit *unit,
    DubPcm *pcm)
{
  DubIngestItem *item = g_new0 (DubIngestItem, 1);

  item->kind = kind;
  item->arrival_ns = now_ns ();
  item->unit = unit;
  item->pcm = pcm;
  note_packet (self, item->arrival_ns);
  if (self->is_fast)
    wait_for_room (self);
  dub_inlet_push (self->inlet, item);
}

static void
take_size (DubConnection *self, const GstStructure *s)
{
  int width = 0, height = 0;

  gst_structure_get_int (s, "width", &width);
  gst_structure_get_int (s, "height", &height);
  self->width = (guint) MAX (width, 0);
  self->height = (guint) MAX (height, 0);
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
  take_size (self, gst_caps_get_structure (caps, 0));
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

/* New parameter sets, from the caps or, where a server tells them in band
 * only, from the key frame itself. (transfer full) */
static GBytes *
codec_data_for (DubConnection *self, DubVideoCodec codec, GstCaps *caps,
    GBytes *unit, gboolean is_key)
{
  g_autoptr (GBytes) from_caps = take_new_codec_data (self, caps);
  GBytes *in_band = is_key && self->codec_data && codec == DUB_VIDEO_CODEC_H264
                        ? dub_avcc_update (self->codec_data, unit)
                        : NULL;

  if (!in_band)
    return g_steal_pointer (&from_caps);
  g_bytes_unref (self->codec_data);
  self->codec_data = g_bytes_ref (in_band);
  return in_band;
}

static void
on_track (gboolean is_video, gpointer user_data)
{
  DubConnection *self = user_data;

  if (is_video)
    self->has_video_track = TRUE;
  else
    self->has_sound_track = TRUE;
}

/* RTSP may begin within a group of pictures: nobody can decode those, and the
 * codec data belongs to the key frame. */
static gboolean
is_decodable (DubConnection *self, gint64 pts_ns, gboolean is_key)
{
  gint64 arrival_ns = now_ns ();

  self->has_key_frame |= is_key;
  if (self->has_key_frame)
    return TRUE;
  note_packet (self, arrival_ns);
  dub_inlet_note_picture (self->inlet, pts_ns, arrival_ns);
  return FALSE;
}

/* What is not known to be broken is whole: the first picture brings the codec
 * data that says how its lengths are written. */
static gboolean
is_whole (const DubConnection *self, DubVideoCodec codec, GBytes *unit)
{
  guint length_size = 0;

  if (self->codec_data)
    length_size = codec == DUB_VIDEO_CODEC_H265
                      ? dub_hvcc_get_length_size (self->codec_data)
                      : dub_avcc_get_length_size (self->codec_data);
  return length_size == 0 || dub_avcc_is_whole (unit, length_size);
}

/* Without a time it is refused and counted, and the pictures that need it are
 * held back: the programme goes on at the next key frame. */
static void
push_broken (DubConnection *self, DubVideoCodec codec)
{
  push_item (self, DUB_INGEST_ITEM_VIDEO,
      dub_access_unit_new (codec, g_bytes_new (NULL, 0), NULL, DUB_TIME_NONE,
          DUB_TIME_NONE, FALSE),
      NULL);
}

static void
on_picture (DubVideoCodec codec, GstSample *sample, gpointer user_data)
{
  DubConnection *self = user_data;
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  g_autoptr (GBytes) bytes = bytes_of_buffer (buffer);
  DubAccessUnit *unit;
  gint64 pts_ns = dub_pipeline_time_ns (sample, GST_BUFFER_PTS (buffer));
  gint64 dts_ns = dub_pipeline_time_ns (sample, GST_BUFFER_DTS (buffer));
  gboolean is_key =
      !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  GBytes *codec_data;

  if (!bytes)
    return;
  self->n_video++;
  if (pts_ns == DUB_TIME_NONE)
    pts_ns = dts_ns;
  if (!is_decodable (self, pts_ns, is_key))
    return;
  if (!is_whole (self, codec, bytes)) {
    push_broken (self, codec);
    return;
  }
  if (!self->source->has_dts)
    dts_ns = DUB_TIME_NONE;
  codec_data =
      codec_data_for (self, codec, gst_sample_get_caps (sample), bytes, is_key);
  if (codec_data && !self->source->has_dts)
    dub_inlet_set_reorder (
        self->inlet, dub_reorder_from_codec_data (codec, codec_data));
  unit = dub_access_unit_new (
      codec, g_steal_pointer (&bytes), codec_data, pts_ns, dts_ns, is_key);
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    unit->duration_ns = (gint64) GST_BUFFER_DURATION (buffer);
  unit->width = self->width;
  unit->height = self->height;
  push_item (self, DUB_INGEST_ITEM_VIDEO, unit, NULL);
}

static void
on_sound (GstSample *sample, gpointer user_data)
{
  DubConnection *self = user_data;
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  g_autoptr (GBytes) bytes = bytes_of_buffer (buffer);
  const gsize frame_size = DUB_PROGRAMME_CHANNELS * sizeof (gint16);
  DubPcm *pcm;

  if (!bytes || g_bytes_get_size (bytes) < frame_size ||
      g_bytes_get_size (bytes) % frame_size != 0)
    return;
  pcm = dub_pcm_new (g_steal_pointer (&bytes), DUB_PROGRAMME_RATE_HZ,
      DUB_PROGRAMME_CHANNELS,
      dub_pipeline_time_ns (sample, GST_BUFFER_PTS (buffer)));
  self->n_sound++;
  push_item (self, DUB_INGEST_ITEM_SOUND, NULL, pcm);
}

/* -- life ---------------------------------------------------------------- */

gboolean
dub_connection_check_url (const char *url, GError **error)
{
  return dub_pipeline_find_source (url, error) != NULL;
}

DubConnection *
dub_connection_new (
    const char *url, gboolean is_fast, DubQueue *queue, GError **error)
{
  const DubPipelineFuncs funcs = {
      .on_track = on_track,
      .on_picture = on_picture,
      .on_sound = on_sound,
      .is_fast = is_fast,
  };
  g_autoptr (DubConnection) self = NULL;
  const DubPipelineSource *source = dub_pipeline_find_source (url, error);

  if (!source)
    return NULL;
  self = g_new0 (DubConnection, 1);
  self->url = g_strdup (url);
  self->shown_url = dub_redact_url (url);
  self->source = source;
  self->is_fast = is_fast && !source->is_live;
  self->queue = dub_queue_ref (queue);
  self->inlet = dub_inlet_new (queue, !source->has_dts);
  self->pipeline = dub_pipeline_new (url, &funcs, self, error);
  if (!self->pipeline)
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
  self->is_closing = TRUE;
  if (self->pipeline) {
    gst_element_set_state (self->pipeline, GST_STATE_NULL);
    gst_object_unref (self->pipeline);
  }
  gst_clear_caps (&self->video_caps);
  g_clear_pointer (&self->codec_data, g_bytes_unref);
  g_clear_pointer (&self->inlet, dub_inlet_free);
  g_clear_pointer (&self->queue, dub_queue_unref);
  g_free (self->url);
  g_free (self->shown_url);
  g_free (self);
}

/* -- the owner's thread -------------------------------------------------- */

static int
code_for (const DubConnection *self, const GError *error)
{
  if (error->domain == DUB_ERROR)
    return error->code;
  /* A file does not change while we wait. */
  if (!self->source->is_live)
    return DUB_ERROR_UNSUPPORTED;
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

  return g_error_new (DUB_ERROR, code_for (self, error), "cannot read %s: %s",
      self->shown_url, safe);
}

static void
end (DubConnection *self, const GError *error)
{
  if (self->has_ended)
    return;
  self->has_ended = TRUE;
  self->funcs->on_end (error, self->user_data);
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

  dub_bus_note (message, self->url);
  /* The callbacks may free us: nothing is touched after them. */
  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
      end_with_message (self, message);
      break;
    case GST_MESSAGE_EOS:
      end_with_eos (self);
      break;
    case GST_MESSAGE_APPLICATION:
      self->funcs->on_packets (self->user_data);
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
    DubConnection *self, const DubConnectionFuncs *funcs, gpointer user_data)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);

  self->funcs = funcs;
  self->user_data = user_data;
  self->started_ns = now_ns ();
  self->first_packet_ns = self->started_ns; /* the next is no packet */
  self->bus_source = gst_bus_create_watch (bus);
  g_source_set_callback (
      self->bus_source, G_SOURCE_FUNC (on_bus_message), self, NULL);
  g_source_attach (self->bus_source, g_main_context_get_thread_default ());
  push_item (self, DUB_INGEST_ITEM_CONNECTED, NULL, NULL);
  self->first_packet_ns = DUB_TIME_NONE;
  self->last_packet_ns = self->started_ns;
  /* A file's sinks come while the pipeline starts; were it playing by then,
   * they might not know its base time yet and would not wait for any. */
  gst_element_set_state (self->pipeline, self->source->is_live || self->is_fast
                                             ? GST_STATE_PLAYING
                                             : GST_STATE_PAUSED);
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
