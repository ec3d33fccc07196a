/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "output.h"

/*
 * The right end of a worker: coded pictures and PCM in, any number of outputs
 * out. One AAC encoder; its sound and the untouched pictures go to each.
 *
 *   video ──────────────┐   ┌─▶ output (the main one)
 *                       ├───┼─▶ output
 *   sound ─▶ AAC encoder┘   └─▶ ...
 *
 * A URL of a file takes all into one MP4 instead, and waits for the encoder.
 *
 * new, add, remove, finish and free on the owner's thread, where on_state and
 * on_error are called. video and sound on one other thread (the programme's);
 * they never block. Pictures come with media pts and dts, sound without gaps.
 */
G_BEGIN_DECLS

typedef struct {
  const char *url;
  guint audio_bit_rate; /* 160000 */
} DubPublishOptions;
void dub_publish_options_init (DubPublishOptions *options);

typedef struct {
  DubPublisherStateFunc on_state;
  /* Nothing that a new connection mends: the encoder broke. */
  void (*on_error) (const GError *error, gpointer user_data);
} DubPublishHandlers;

typedef struct _DubPublish DubPublish;

DubPublish *dub_publish_new (const DubPublishOptions *options,
    const DubPublishHandlers *handlers, gpointer user_data, GError **error);
void dub_publish_free (DubPublish *self);

/* One more output; it begins at the next key frame. Nothing that happens to it
 * is told but by its own on_state. Not of a file. */
DubOutput *dub_publish_add (DubPublish *self, const DubOutputOptions *options,
    DubPublisherStateFunc on_state, gpointer user_data, GError **error);
/* Closes it at once; frees it. */
void dub_publish_remove (DubPublish *self, DubOutput *output);

/* How much earlier than its picture sound must be handed over so that both
 * reach the socket together: the encoder's delay and its frame. */
gint64 dub_publish_get_lead_ns (DubPublish *self);

/* (transfer full) */
void dub_publish_video (DubPublish *self, DubAccessUnit *unit);
void dub_publish_sound (DubPublish *self, DubPcm *pcm);
/* Of the sound: what is not coded yet, below 100 ms where there is CPU. What
 * comes over 40 s of it is lost. The thread of video and sound. */
gint64 dub_publish_get_uncoded_ns (DubPublish *self);

/* Of a file: the media time at which it starts. Before finish; the thread of
 * video and sound. */
void dub_publish_set_zero (DubPublish *self, gint64 media_ns);
/* And where the source's sound ends, as far as known: the rest of the last
 * block is not heard. */
void dub_publish_set_sound_end (DubPublish *self, gint64 media_ns);

/* Sends the rest; state ENDED of each output follows within timeout_ms. */
void dub_publish_finish (DubPublish *self, guint timeout_ms);
/* Of the main output. Any thread. */
void dub_publish_get_stats (DubPublish *self, DubPublisherStats *ret_stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubPublish, dub_publish_free)

G_END_DECLS
