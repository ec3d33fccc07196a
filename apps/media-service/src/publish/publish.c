/* SPDX-License-Identifier: Apache-2.0 */
#include "publish.h"

#include "aac_encoder.h"

struct _DubPublish {
  /* immutable */
  DubPublishHandlers handlers;
  gpointer user_data;
  GMainContext *context;
  DubPublisher *publisher;
  DubAacEncoder *encoder;

  /* the thread of video only */
  DubVideoCodec codec; /* what the metadata says */
};

typedef struct {
  DubPublish *self;
  GError *error;
} Failure;

static void
failure_free (gpointer data)
{
  Failure *failure = data;

  g_error_free (failure->error);
  g_free (failure);
}

static gboolean
do_fail (gpointer user_data)
{
  Failure *failure = user_data;

  failure->self->handlers.on_error (failure->error, failure->self->user_data);
  return G_SOURCE_REMOVE;
}

/* From the encoder's thread. */
static void
on_encoder_error (const GError *error, gpointer user_data)
{
  DubPublish *self = user_data;
  Failure *failure = g_new (Failure, 1);

  failure->self = self;
  failure->error = g_error_copy (error);
  g_main_context_invoke_full (
      self->context, G_PRIORITY_DEFAULT, do_fail, failure, failure_free);
}

/* From the encoder's thread. The first frames are the encoder's lead-in, from
 * before media time 0; a decoder needs them. */
static void
on_frame (GBytes *frame, gint64 pts_ns, gpointer user_data)
{
  DubPublish *self = user_data;
  g_autoptr (DubFlvTag) tag = NULL;

  tag = dub_flv_tag_new_sound (frame, pts_ns);
  dub_publisher_push (self->publisher, tag);
}

static void
on_publisher_state (
    DubPublisherState state, const GError *error, gpointer user_data)
{
  DubPublish *self = user_data;

  self->handlers.on_state (state, error, self->user_data);
}

void
dub_publish_options_init (DubPublishOptions *options)
{
  *options = (DubPublishOptions){.audio_bit_rate = 160000};
}

static void
push_and_free (DubPublish *self, DubFlvTag *tag)
{
  dub_publisher_push (self->publisher, tag);
  dub_flv_tag_unref (tag);
}

DubPublish *
dub_publish_new (const DubPublishOptions *options,
    const DubPublishHandlers *handlers, gpointer user_data, GError **error)
{
  g_autoptr (DubPublish) self = g_new0 (DubPublish, 1);
  DubAacEncoderHandlers encoder_handlers = {
      .on_frame = on_frame, .on_error = on_encoder_error};

  self->handlers = *handlers;
  self->user_data = user_data;
  self->context = g_main_context_ref_thread_default ();
  self->publisher =
      dub_publisher_new (options->url, on_publisher_state, self, error);
  if (!self->publisher)
    return NULL;
  self->encoder = dub_aac_encoder_new (
      options->audio_bit_rate, &encoder_handlers, self, error);
  if (!self->encoder)
    return NULL;
  push_and_free (self, dub_flv_tag_new_sound_config (
                           dub_aac_encoder_get_config (self->encoder), 0));
  return g_steal_pointer (&self);
}

void
dub_publish_free (DubPublish *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->encoder, dub_aac_encoder_free);
  g_clear_pointer (&self->publisher, dub_publisher_free);
  g_main_context_unref (self->context);
  g_free (self);
}

gint64
dub_publish_get_lead_ns (DubPublish *self)
{
  return dub_frames_to_ns (
      dub_aac_encoder_get_delay_frames (self->encoder) + DUB_AAC_FRAME,
      DUB_PROGRAMME_RATE_HZ);
}

void
dub_publish_video (DubPublish *self, DubAccessUnit *unit)
{
  g_autoptr (DubAccessUnit) G_GNUC_UNUSED owned = unit;
  DubFlvTag *tag = dub_flv_tag_new_video (unit);

  if (unit->codec_data && unit->codec != self->codec)
    push_and_free (self, dub_flv_tag_new_metadata (unit->codec, tag->dts_ms));
  if (unit->codec_data)
    push_and_free (self, dub_flv_tag_new_video_config (
                             unit->codec, unit->codec_data, tag->dts_ms));
  self->codec = unit->codec;
  push_and_free (self, tag);
}

void
dub_publish_sound (DubPublish *self, DubPcm *pcm)
{
  dub_aac_encoder_push (self->encoder, pcm);
}

void
dub_publish_finish (DubPublish *self, guint timeout_ms)
{
  dub_publisher_finish (self->publisher, timeout_ms);
}

void
dub_publish_get_stats (DubPublish *self, DubPublisherStats *ret_stats)
{
  dub_publisher_get_stats (self->publisher, ret_stats);
}
