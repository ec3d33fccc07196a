/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include "tag_times.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <gst/app/gstappsink.h>
#include <string.h>

/* Packets come by TCP, in order: the buffer is there for the tracks' order. */
#define RTSP_LATENCY_MS 100
#define MAX_CHAIN 8
#define PAYLOAD_MPA 14

static const DubPipelineSource sources[] = {
    {"rtmp", "rtmp2src", TRUE, TRUE},
    {"rtmps", "rtmp2src", TRUE, TRUE},
    {"rtsp", "rtspsrc", TRUE, FALSE},
    {"file", "filesrc", FALSE, TRUE},
};

/* From RTP to frames. */
typedef struct {
  const char *encoding; /* of the SDP */
  const char *depayloader;
  const char *parser; /* (nullable) */
  const char *media;  /* what comes out */
} Payload;

static const Payload payloads[] = {
    {"H264", "rtph264depay", "h264parse", "video/x-h264"},
    {"H265", "rtph265depay", "h265parse", "video/x-h265"},
    {"MPEG4-GENERIC", "rtpmp4gdepay", NULL, "audio/mpeg-4"},
    {"MP4A-LATM", "rtpmp4adepay", NULL, "audio/mpeg-4"},
    {"OPUS", "rtpopusdepay", NULL, "audio/x-opus"},
    {"MPA", "rtpmpadepay", NULL, "audio/mpeg-1"},
    {"AC3", "rtpac3depay", NULL, "audio/x-ac3"},
};

typedef struct {
  const char *media;  /* audio/mpeg is split by version in media_of () */
  const char *parser; /* (nullable) */
  const char *decoder;
} Decoder;

static const Decoder decoders[] = {
    {"audio/mpeg-4", NULL, "avdec_aac"},
    {"audio/mpeg-2", NULL, "avdec_aac"},
    {"audio/mpeg-1", "mpegaudioparse", "avdec_mp3"},
    {"audio/x-opus", NULL, "opusdec"},
    {"audio/x-ac3", "ac3parse", "avdec_ac3"},
};

typedef struct {
  DubVideoCodec codec;
  const char *media;
  const char *wanted; /* of the sink */
} Video;

static const Video videos[] = {
    {DUB_VIDEO_CODEC_H264, "video/x-h264",
        "video/x-h264, stream-format=(string)avc"},
    {DUB_VIDEO_CODEC_H265, "video/x-h265",
        "video/x-h265, stream-format=(string){ hvc1, hev1 }, "
        "alignment=(string)au"},
};

/* Lives as long as the pipeline, as its data. */
typedef struct {
  /* immutable */
  const DubPipelineSource *source;
  GstElement *pipeline; /* not owned */
  DubPipelineFuncs funcs;
  gpointer user_data;

  /* the threads of the source's pads, one after the other */
  gboolean has_video, has_sound;
  const Video *video;
  /* RTMP: what the tags say, and by how much the demuxer is off */
  DubTagTimes tags;
  gint64 video_off_ns, sound_off_ns;
} Builder;

/* One way from a source's pad to its sink. */
typedef struct {
  GstElement *elements[MAX_CHAIN];
  guint n;
} Chain;

/* -- what the tags say ------------------------------------------------------
 */

static GstPadProbeReturn
on_tags (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Builder *self = user_data;
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstMapInfo map;

  if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    dub_tag_times_feed (&self->tags, map.data, map.size);
    gst_buffer_unmap (buffer, &map);
  }
  return GST_PAD_PROBE_OK;
}

static void
note_off (Builder *self, gboolean is_video, GstClockTime demuxed)
{
  gint64 *off_ns = is_video ? &self->video_off_ns : &self->sound_off_ns;
  gint64 ms;

  if (GST_CLOCK_TIME_IS_VALID (demuxed) &&
      dub_tag_times_take (&self->tags, is_video, &ms))
    *off_ns = ms * DUB_NS_PER_MS - (gint64) demuxed;
}

static GstPadProbeReturn
on_demuxed_video (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  note_off (user_data, TRUE, GST_BUFFER_DTS (GST_PAD_PROBE_INFO_BUFFER (info)));
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
on_demuxed_sound (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  note_off (
      user_data, FALSE, GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info)));
  return GST_PAD_PROBE_OK;
}

static GstClockTime
moved (GstClockTime time, gint64 off_ns)
{
  gint64 to_ns = (gint64) time + off_ns;

  return GST_CLOCK_TIME_IS_VALID (time) ? (GstClockTime) MAX (to_ns, 0) : time;
}

/* The sample at its tag's time. sample: (transfer full) */
static GstSample *
move_sample (GstSample *sample, gint64 off_ns)
{
  g_autoptr (GstBuffer) buffer = NULL;

  if (off_ns == 0)
    return sample;
  buffer = gst_buffer_copy (gst_sample_get_buffer (sample));
  GST_BUFFER_PTS (buffer) = moved (GST_BUFFER_PTS (buffer), off_ns);
  GST_BUFFER_DTS (buffer) = moved (GST_BUFFER_DTS (buffer), off_ns);
  sample = gst_sample_make_writable (sample);
  gst_sample_set_buffer (sample, buffer);
  return sample;
}

/* -- samples ------------------------------------------------------------- */

static GstFlowReturn
on_picture_sample (GstAppSink *sink, gpointer user_data)
{
  Builder *self = user_data;
  GstSample *sample = gst_app_sink_pull_sample (sink);
  GstBuffer *buffer = sample ? gst_sample_get_buffer (sample) : NULL;

  if (buffer && gst_buffer_get_size (buffer) > 0) {
    sample = move_sample (sample, self->video_off_ns);
    self->funcs.on_picture (self->video->codec, sample, self->user_data);
  }
  g_clear_pointer (&sample, gst_sample_unref);
  return GST_FLOW_OK;
}

static GstFlowReturn
on_sound_sample (GstAppSink *sink, gpointer user_data)
{
  Builder *self = user_data;
  GstSample *sample = gst_app_sink_pull_sample (sink);
  GstBuffer *buffer = sample ? gst_sample_get_buffer (sample) : NULL;

  if (buffer) {
    sample = move_sample (sample, self->sound_off_ns);
    self->funcs.on_sound (sample, self->user_data);
  }
  g_clear_pointer (&sample, gst_sample_unref);
  return GST_FLOW_OK;
}

gint64
dub_pipeline_time_ns (GstSample *sample, GstClockTime time)
{
  const GstSegment *segment = gst_sample_get_segment (sample);
  guint64 ns = 0;
  int sign;

  if (!GST_CLOCK_TIME_IS_VALID (time))
    return DUB_TIME_NONE;
  sign = gst_segment_to_running_time_full (segment, GST_FORMAT_TIME, time, &ns);
  if (sign == 0)
    return (gint64) time;
  return sign > 0 ? (gint64) ns : -(gint64) ns;
}

/* -- building ------------------------------------------------------------ */

/* Ends the connection from a streaming thread, by way of the bus. */
static void
post_error (Builder *self, GError *error)
{
  gst_element_post_message (self->pipeline,
      gst_message_new_error (GST_OBJECT (self->pipeline), error, NULL));
  g_error_free (error);
}

static GstElement *
add_element (Builder *self, const char *factory, GError **error)
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

/* factory: (nullable): nothing to append. NULL on failure, or for none. */
static GstElement *
append (Builder *self, Chain *chain, const char *factory, GError **error)
{
  GstElement *element = factory ? add_element (self, factory, error) : NULL;

  if (element)
    chain->elements[chain->n++] = element;
  return element;
}

static gboolean
append_sink (Builder *self, Chain *chain,
    GstFlowReturn (*on_sample) (GstAppSink *, gpointer), GstCaps *caps,
    GError **error)
{
  GstAppSinkCallbacks callbacks = {.new_sample = on_sample};
  GstElement *sink = append (self, chain, "appsink", error);
  gboolean is_paced;

  if (!sink)
    return FALSE;
  is_paced = !self->source->is_live && !self->funcs.is_fast;
  g_object_set (sink, "sync", is_paced, "async", is_paced, "enable-last-sample",
      FALSE, "caps", caps, NULL);
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, self, NULL);
  return TRUE;
}

static gboolean
link_chain (GstPad *pad, const Chain *chain, GError **error)
{
  g_autoptr (GstPad) first = NULL;

  for (guint i = chain->n; i-- > 0;) {
    if (i + 1 < chain->n &&
        !gst_element_link (chain->elements[i], chain->elements[i + 1]))
      goto no_link;
    gst_element_sync_state_with_parent (chain->elements[i]);
  }
  first = gst_element_get_static_pad (chain->elements[0], "sink");
  if (gst_pad_link (pad, first) == GST_PAD_LINK_OK)
    return TRUE;
no_link:
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "the elements after the source do not take its data");
  return FALSE;
}

/* What stands before the track's own elements. */
static gboolean
begin_chain (
    Builder *self, Chain *chain, const Payload *payload, GError **error)
{
  /* A file's tracks are paced apart, so each needs a thread of its own. */
  if (!self->source->is_live)
    return append (self, chain, "queue", error) != NULL;
  if (!payload)
    return TRUE;
  return append (self, chain, payload->depayloader, error) &&
         (!payload->parser || append (self, chain, payload->parser, error));
}

static const Video *
find_video (const char *media)
{
  for (guint i = 0; i < G_N_ELEMENTS (videos); i++)
    if (g_str_equal (videos[i].media, media))
      return &videos[i];
  return NULL;
}

static gboolean
add_video (Builder *self, GstPad *pad, const char *media,
    const Payload *payload, GError **error)
{
  g_autoptr (GstCaps) wanted = NULL;
  Chain chain = {0};

  self->video = find_video (media);
  if (!self->video) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "its video is %s; taken are H.264 and H.265", media);
    return FALSE;
  }
  self->has_video = TRUE;
  self->funcs.on_track (TRUE, self->user_data);
  wanted = gst_caps_from_string (self->video->wanted);
  /* Demuxers give whole access units and do not say so. */
  if (payload)
    gst_caps_set_simple (wanted, "alignment", G_TYPE_STRING, "au", NULL);
  return begin_chain (self, &chain, payload, error) &&
         append_sink (self, &chain, on_picture_sample, wanted, error) &&
         link_chain (pad, &chain, error);
}

static const Decoder *
find_decoder (const char *media)
{
  for (guint i = 0; i < G_N_ELEMENTS (decoders); i++)
    if (g_str_equal (decoders[i].media, media))
      return &decoders[i];
  return NULL;
}

static gboolean
append_decoder (
    Builder *self, Chain *chain, const Decoder *kind, GError **error)
{
  GstElement *decoder, *convert;

  if ((kind->parser && !append (self, chain, kind->parser, error)) ||
      !(decoder = append (self, chain, kind->decoder, error)) ||
      !(convert = append (self, chain, "audioconvert", error)) ||
      !append (self, chain, "audioresample", error))
    return FALSE;
  /* Broken packets cost their own sound, never the connection. */
  g_object_set (decoder, "max-errors", -1, NULL);
  /* No noise is added to what is kept as it was. */
  gst_util_set_object_arg (G_OBJECT (convert), "dithering", "none");
  return TRUE;
}

static gboolean
add_sound (Builder *self, GstPad *pad, const char *media,
    const Payload *payload, GError **error)
{
  const Decoder *decoder = find_decoder (media);
  g_autoptr (GstCaps) wanted = gst_caps_new_simple ("audio/x-raw", "format",
      G_TYPE_STRING, "S16LE", "layout", G_TYPE_STRING, "interleaved", "rate",
      G_TYPE_INT, DUB_PROGRAMME_RATE_HZ, "channels", G_TYPE_INT,
      DUB_PROGRAMME_CHANNELS, NULL);
  Chain chain = {0};

  if (!decoder) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
        "its sound is %s; taken are AAC, MP3, Opus and AC-3", media);
    return FALSE;
  }
  self->has_sound = TRUE;
  self->funcs.on_track (FALSE, self->user_data);
  return begin_chain (self, &chain, payload, error) &&
         append_decoder (self, &chain, decoder, error) &&
         append_sink (self, &chain, on_sound_sample, wanted, error) &&
         link_chain (pad, &chain, error);
}

static const Payload *
find_payload (const GstStructure *s)
{
  const char *encoding = gst_structure_get_string (s, "encoding-name");
  int number = -1;

  if (!gst_structure_has_name (s, "application/x-rtp"))
    return NULL;
  /* The one number of RFC 3551 that we take needs no name. */
  if (!encoding && gst_structure_get_int (s, "payload", &number) &&
      number == PAYLOAD_MPA)
    encoding = "MPA";
  for (guint i = 0; encoding && i < G_N_ELEMENTS (payloads); i++)
    if (g_ascii_strcasecmp (payloads[i].encoding, encoding) == 0)
      return &payloads[i];
  return NULL;
}

/* "audio/mpeg-4": the caps' name, with the version where one name is many
 * codecs; of RTP, what its payload is. (transfer full) */
static char *
media_of (const GstStructure *s, const Payload *payload)
{
  int version = 0;

  if (payload)
    return g_strdup (payload->media);
  if (gst_structure_has_name (s, "application/x-rtp"))
    return g_strdup_printf ("%s/%s", gst_structure_get_string (s, "media"),
        gst_structure_get_string (s, "encoding-name"));
  if (gst_structure_get_int (s, "mpegversion", &version))
    return g_strdup_printf ("%s-%d", gst_structure_get_name (s), version);
  return g_strdup (gst_structure_get_name (s));
}

static void
on_pad_added (GstElement *element, GstPad *pad, gpointer user_data)
{
  Builder *self = user_data;
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const GstStructure *s;
  const Payload *payload;
  g_autofree char *media = NULL;
  GError *error = NULL;

  if (!caps)
    caps = gst_pad_query_caps (pad, NULL);
  if (gst_caps_is_empty (caps) || gst_caps_is_any (caps))
    return;
  s = gst_caps_get_structure (caps, 0);
  payload = find_payload (s);
  media = media_of (s, payload);
  if (g_str_has_prefix (media, "video/") && !self->has_video)
    add_video (self, pad, media, payload, &error);
  else if (g_str_has_prefix (media, "audio/") && !self->has_sound)
    add_sound (self, pad, media, payload, &error);
  if (error)
    post_error (self, error);
}

/* -- sources ------------------------------------------------------------- */

const DubPipelineSource *
dub_pipeline_find_source (const char *url, GError **error)
{
  g_autofree char *scheme = url ? g_uri_parse_scheme (url) : NULL;
  g_autofree char *shown = NULL;

  if (!url || !*url) {
    g_set_error (
        error, DUB_ERROR, DUB_ERROR_INVALID, "the input URL cannot be empty");
    return NULL;
  }
  for (guint i = 0; scheme && i < G_N_ELEMENTS (sources); i++)
    if (g_ascii_strcasecmp (sources[i].scheme, scheme) == 0)
      return &sources[i];
  shown = dub_redact_url (url);
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "the input URL %s must start with 'rtmp://', 'rtmps://', 'rtsp://' or "
      "'file://'",
      shown);
  return NULL;
}

static gboolean
build_file (Builder *self, GstElement *source, const char *url, GError **error)
{
  g_autofree char *path = g_filename_from_uri (url, NULL, error);
  const char *demuxer = g_str_has_suffix (url, ".flv") ? "flvdemux" : "qtdemux";
  GstElement *demux = path ? add_element (self, demuxer, error) : NULL;

  if (!demux)
    return FALSE;
  g_object_set (source, "location", path, NULL);
  g_signal_connect (demux, "pad-added", G_CALLBACK (on_pad_added), self);
  return gst_element_link (source, demux);
}

/* The demuxer's segment begins at the first time, and a decoder throws away
 * what is before it: all sound after 32-bit milliseconds have wrapped. */
static GstPadProbeReturn
on_rtmp_event (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  GstSegment segment;

  if (GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT)
    return GST_PAD_PROBE_OK;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  GST_PAD_PROBE_INFO_DATA (info) = gst_event_new_segment (&segment);
  gst_event_unref (event);
  return GST_PAD_PROBE_OK;
}

static void
on_rtmp_pad (GstElement *element, GstPad *pad, gpointer user_data)
{
  gboolean is_video = g_str_has_prefix (GST_PAD_NAME (pad), "video");

  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, on_rtmp_event, NULL, NULL);
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER,
      is_video ? on_demuxed_video : on_demuxed_sound, user_data, NULL);
}

static gboolean
build_rtmp (Builder *self, GstElement *source, const char *url, GError **error)
{
  GstElement *demux = add_element (self, "flvdemux", error);
  g_autoptr (GstPad) pad = NULL;

  if (!demux)
    return FALSE;
  g_object_set (source, "location", url, NULL);
  pad = gst_element_get_static_pad (source, "src");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, on_tags, self, NULL);
  g_signal_connect (demux, "pad-added", G_CALLBACK (on_rtmp_pad), self);
  g_signal_connect (demux, "pad-added", G_CALLBACK (on_pad_added), self);
  return gst_element_link (source, demux);
}

/* Sound and pictures only, one of each: what is set up must be read. */
static gboolean
on_select_stream (
    GstElement *source, guint number, GstCaps *caps, gpointer user_data)
{
  const GstStructure *s = gst_caps_get_structure (caps, 0);
  const char *media = gst_structure_get_string (s, "media");

  return g_strcmp0 (media, "video") == 0 || g_strcmp0 (media, "audio") == 0;
}

static gboolean
build_rtsp (Builder *self, GstElement *source, const char *url, GError **error)
{
  g_object_set (source, "location", url, "latency", RTSP_LATENCY_MS,
      /* No report of the server moves a track: see track_align.h. */
      "max-ts-offset", (gint64) 1, NULL);
  gst_util_set_object_arg (G_OBJECT (source), "protocols", "tcp");
  /* Times as the RTP clock has them; drift is for the departure clock. */
  gst_util_set_object_arg (G_OBJECT (source), "buffer-mode", "none");
  g_signal_connect (
      source, "select-stream", G_CALLBACK (on_select_stream), self);
  g_signal_connect (source, "pad-added", G_CALLBACK (on_pad_added), self);
  return TRUE;
}

static gboolean
build (Builder *self, const char *url, GError **error)
{
  GstElement *source = add_element (self, self->source->element, error);

  if (!source)
    return FALSE;
  if (!self->source->is_live)
    return build_file (self, source, url, error);
  if (!self->source->has_dts)
    return build_rtsp (self, source, url, error);
  return build_rtmp (self, source, url, error);
}

GstElement *
dub_pipeline_new (const char *url, const DubPipelineFuncs *funcs,
    gpointer user_data, GError **error)
{
  const DubPipelineSource *source = dub_pipeline_find_source (url, error);
  g_autoptr (GstElement) pipeline = NULL;
  Builder *self;

  if (!source)
    return NULL;
  pipeline = gst_object_ref_sink (gst_pipeline_new ("ingest"));
  self = g_new0 (Builder, 1);
  self->source = source;
  self->pipeline = pipeline;
  self->funcs = *funcs;
  self->user_data = user_data;
  g_object_set_data_full (G_OBJECT (pipeline), "builder", self, g_free);
  if (!build (self, url, error))
    return NULL;
  return g_steal_pointer (&pipeline);
}
