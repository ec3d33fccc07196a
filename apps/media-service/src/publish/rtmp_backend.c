/* SPDX-License-Identifier: Apache-2.0 */
#include "output_backend.h"

typedef struct {
  DubPublisher *publisher;
  DubVideoCodec codec; /* what the metadata says */
} Rtmp;

static const char *const schemes[] = {"rtmp", "rtmps", NULL};

static void
push_and_free (Rtmp *self, DubFlvTag *tag)
{
  dub_publisher_push (self->publisher, tag);
  dub_flv_tag_unref (tag);
}

static gpointer
create (const DubOutputOptions *options, GBytes *sound_config,
    DubPublisherStateFunc on_state, gpointer user_data, GError **error)
{
  DubPublisher *publisher = dub_publisher_new (
      options->url, options->is_foreign, on_state, user_data, error);
  Rtmp *self;

  if (!publisher)
    return NULL;
  self = g_new0 (Rtmp, 1);
  self->publisher = publisher;
  push_and_free (self, dub_flv_tag_new_sound_config (sound_config, 0));
  return self;
}

static void
destroy (gpointer instance)
{
  Rtmp *self = instance;

  dub_publisher_free (self->publisher);
  g_free (self);
}

static void
configure (
    gpointer instance, DubVideoCodec codec, GBytes *codec_data, gint64 dts_ms)
{
  Rtmp *self = instance;

  if (codec != self->codec)
    push_and_free (self, dub_flv_tag_new_metadata (codec, dts_ms));
  push_and_free (
      self, dub_flv_tag_new_video_config (codec, codec_data, dts_ms));
  self->codec = codec;
}

/* The first frames of sound are the encoder's lead-in, from before media time
 * 0; a decoder needs them. */
static void
push (gpointer instance, DubCodedItem *item)
{
  Rtmp *self = instance;

  if (!item->tag)
    item->tag = item->unit ? dub_flv_tag_new_video (item->unit)
                           : dub_flv_tag_new_sound (item->frame, item->pts_ns);
  dub_publisher_push (self->publisher, item->tag);
}

static void
finish (gpointer instance, guint timeout_ms)
{
  Rtmp *self = instance;

  dub_publisher_finish (self->publisher, timeout_ms);
}

static void
get_stats (gpointer instance, DubPublisherStats *ret_stats)
{
  Rtmp *self = instance;

  dub_publisher_get_stats (self->publisher, ret_stats);
}

const DubOutputBackend dub_rtmp_backend = {
    .schemes = schemes,
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .push = push,
    .finish = finish,
    .get_stats = get_stats,
};
