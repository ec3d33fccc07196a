/* SPDX-License-Identifier: Apache-2.0 */
#include "publish.h"

#include "aac_encoder.h"
#include "mp4_file.h"

#include <dubbing_common/error.h>

struct _DubPublish {
  /* immutable */
  DubPublishHandlers handlers;
  gpointer user_data;
  GMainContext *context;
  DubOutput *main_output; /* one of outputs; NULL: a file */
  DubAacEncoder *encoder;

  /* protected by lock, which is held over a push to all outputs */
  GMutex lock;
  DubMp4File *file; /* NULL: a server */
  gboolean has_failed;
  GPtrArray *outputs; /* DubOutput, not owned by it */
  DubVideoCodec codec;
  GBytes *codec_data; /* the last one, for outputs to come */

  /* the thread of video and sound, then finish */
  gint64 zero_ns, sound_end_ns, source_end_ns, block_ns;
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

/* Any thread. */
static void
tell_error (DubPublish *self, const GError *error)
{
  Failure *failure = g_new (Failure, 1);

  failure->self = self;
  failure->error = g_error_copy (error);
  g_main_context_invoke_full (
      self->context, G_PRIORITY_DEFAULT, do_fail, failure, failure_free);
}

/* From the encoder's thread. */
static void
on_encoder_error (const GError *error, gpointer user_data)
{
  tell_error (user_data, error);
}

/* One of unit and frame. */
static void
write_to_file (
    DubPublish *self, const DubAccessUnit *unit, GBytes *frame, gint64 pts_ns)
{
  g_autoptr (GError) error = NULL;
  gboolean is_good = TRUE;

  g_mutex_lock (&self->lock);
  if (unit && !self->has_failed)
    is_good = dub_mp4_file_add_video (self->file, unit, &error);
  else if (!self->has_failed)
    is_good = dub_mp4_file_add_sound (self->file, frame, pts_ns, &error);
  self->has_failed |= !is_good;
  g_mutex_unlock (&self->lock);
  if (!is_good)
    tell_error (self, error);
}

static void
push_to_all (DubPublish *self, DubCodedItem *item)
{
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->outputs->len; i++)
    dub_output_push (g_ptr_array_index (self->outputs, i), item);
  g_mutex_unlock (&self->lock);
  dub_coded_item_clear (item);
}

/* From the encoder's thread. */
static void
on_frame (GBytes *frame, gint64 pts_ns, gpointer user_data)
{
  DubPublish *self = user_data;
  DubCodedItem item = {.frame = frame, .pts_ns = pts_ns};

  if (self->file)
    write_to_file (self, NULL, frame, pts_ns);
  else
    push_to_all (self, &item);
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

static gboolean
open_file (DubPublish *self, const DubPublishOptions *options, GError **error)
{
  g_autofree char *path = g_filename_from_uri (options->url, NULL, error);

  if (path)
    self->file =
        dub_mp4_file_new (path, dub_aac_encoder_get_config (self->encoder),
            options->audio_bit_rate, error);
  return self->file != NULL;
}

DubOutput *
dub_publish_add (DubPublish *self, const DubOutputOptions *options,
    DubPublisherStateFunc on_state, gpointer user_data, GError **error)
{
  DubOutput *output;

  g_return_val_if_fail (self->file == NULL, NULL);
  output = dub_output_new (options, dub_aac_encoder_get_config (self->encoder),
      on_state, user_data, error);
  if (!output)
    return NULL;
  g_mutex_lock (&self->lock);
  if (self->codec_data)
    dub_output_configure (output, self->codec, self->codec_data, 0);
  g_ptr_array_add (self->outputs, output);
  g_mutex_unlock (&self->lock);
  return output;
}

void
dub_publish_remove (DubPublish *self, DubOutput *output)
{
  g_mutex_lock (&self->lock);
  g_ptr_array_remove (self->outputs, output);
  g_mutex_unlock (&self->lock);
  /* It stops its threads, which may wait for nothing of ours. */
  dub_output_free (output);
}

static gboolean
open_server (DubPublish *self, const DubPublishOptions *options, GError **error)
{
  DubOutputOptions output = {.url = options->url};

  self->main_output =
      dub_publish_add (self, &output, on_publisher_state, self, error);
  return self->main_output != NULL;
}

DubPublish *
dub_publish_new (const DubPublishOptions *options,
    const DubPublishHandlers *handlers, gpointer user_data, GError **error)
{
  g_autoptr (DubPublish) self = g_new0 (DubPublish, 1);
  DubAacEncoderHandlers encoder_handlers = {
      .on_frame = on_frame, .on_error = on_encoder_error};
  gboolean is_open;

  self->handlers = *handlers;
  self->user_data = user_data;
  self->context = g_main_context_ref_thread_default ();
  g_mutex_init (&self->lock);
  self->outputs = g_ptr_array_new ();
  self->encoder = dub_aac_encoder_new (
      options->audio_bit_rate, &encoder_handlers, self, error);
  if (!self->encoder)
    return NULL;
  is_open = g_str_has_prefix (options->url, "file:")
                ? open_file (self, options, error)
                : open_server (self, options, error);
  if (!is_open)
    return NULL;
  return g_steal_pointer (&self);
}

void
dub_publish_free (DubPublish *self)
{
  if (!self)
    return;
  g_clear_pointer (&self->encoder, dub_aac_encoder_free);
  /* What was added is its adder's to remove, before this. */
  g_clear_pointer (&self->main_output, dub_output_free);
  g_clear_pointer (&self->outputs, g_ptr_array_unref);
  g_clear_pointer (&self->codec_data, g_bytes_unref);
  g_clear_pointer (&self->file, dub_mp4_file_free);
  g_mutex_clear (&self->lock);
  g_main_context_unref (self->context);
  g_free (self);
}

gint64
dub_publish_get_lead_ns (DubPublish *self)
{
  if (self->file)
    return 0;
  return dub_frames_to_ns (
      dub_aac_encoder_get_delay_frames (self->encoder) + DUB_AAC_FRAME,
      DUB_PROGRAMME_RATE_HZ);
}

/* New codec data goes to each output before the picture that it is of. */
static void
configure_all (DubPublish *self, const DubAccessUnit *unit)
{
  gint64 dts_ms =
      dub_flv_ms (unit->dts_ns == DUB_TIME_NONE ? unit->pts_ns : unit->dts_ns);

  g_mutex_lock (&self->lock);
  self->codec = unit->codec;
  g_clear_pointer (&self->codec_data, g_bytes_unref);
  self->codec_data = g_bytes_ref (unit->codec_data);
  for (guint i = 0; i < self->outputs->len; i++)
    dub_output_configure (g_ptr_array_index (self->outputs, i), self->codec,
        self->codec_data, dts_ms);
  g_mutex_unlock (&self->lock);
}

void
dub_publish_video (DubPublish *self, DubAccessUnit *unit)
{
  g_autoptr (DubAccessUnit) G_GNUC_UNUSED owned = unit;
  DubCodedItem item = {.unit = unit};

  if (self->file) {
    write_to_file (self, unit, NULL, 0);
    return;
  }
  if (unit->codec_data)
    configure_all (self, unit);
  push_to_all (self, &item);
}

void
dub_publish_sound (DubPublish *self, DubPcm *pcm)
{
  if (self->file) {
    self->block_ns = dub_pcm_duration_ns (pcm);
    self->sound_end_ns = pcm->pts_ns + self->block_ns;
    dub_aac_encoder_push_wait (self->encoder, pcm);
  } else {
    dub_aac_encoder_push (self->encoder, pcm);
  }
}

gint64
dub_publish_get_uncoded_ns (DubPublish *self)
{
  return dub_aac_encoder_get_waiting_ns (self->encoder);
}

void
dub_publish_set_zero (DubPublish *self, gint64 media_ns)
{
  self->zero_ns = media_ns;
}

void
dub_publish_set_sound_end (DubPublish *self, gint64 media_ns)
{
  self->source_end_ns = media_ns;
}

/* A dub may sound on after the source's end; else the source's length is kept
 * to the sample. */
static gint64
file_sound_end_ns (const DubPublish *self)
{
  gint64 rest_ns = self->sound_end_ns - self->source_end_ns;

  return rest_ns > 0 && rest_ns < self->block_ns ? self->source_end_ns
                                                 : self->sound_end_ns;
}

static gboolean
do_end (gpointer user_data)
{
  DubPublish *self = user_data;

  self->handlers.on_state (DUB_PUBLISHER_ENDED, NULL, self->user_data);
  return G_SOURCE_REMOVE;
}

static void
finish_file (DubPublish *self)
{
  g_autoptr (GError) error = NULL;
  gboolean is_good = dub_aac_encoder_finish (self->encoder);

  if (!is_good)
    g_set_error (&error, DUB_ERROR, DUB_ERROR_ENGINE,
        "the sound encoder did not come to its end");
  g_mutex_lock (&self->lock);
  if (is_good && !self->has_failed)
    dub_mp4_file_finish (
        self->file, self->zero_ns, file_sound_end_ns (self), &error);
  g_mutex_unlock (&self->lock);
  if (error)
    self->handlers.on_error (error, self->user_data);
  g_main_context_invoke (self->context, do_end, self);
}

void
dub_publish_finish (DubPublish *self, guint timeout_ms)
{
  if (self->file) {
    finish_file (self);
    return;
  }
  /* Only this thread adds and removes, and ENDED may come from within. */
  for (guint i = 0; i < self->outputs->len; i++)
    dub_output_finish (g_ptr_array_index (self->outputs, i), timeout_ms);
}

void
dub_publish_get_stats (DubPublish *self, DubPublisherStats *ret_stats)
{
  *ret_stats = (DubPublisherStats){.lost_since_ns = DUB_TIME_NONE};
  if (self->main_output)
    dub_output_get_stats (self->main_output, ret_stats);
}
