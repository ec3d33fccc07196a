/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/pcm.h>

/*
 * The original sound that waits in the delay: blocks at rising positions (in
 * media samples), with holes where the source had none. Shares the memory of
 * the blocks.
 *
 * Pure: no clock, no thread. One owner.
 */
G_BEGIN_DECLS

typedef struct _DubSoundStore DubSoundStore;

DubSoundStore *dub_sound_store_new (guint channels);
void dub_sound_store_free (DubSoundStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubSoundStore, dub_sound_store_free)

/* pcm: (transfer full); first_frame must not lie before the end. */
void dub_sound_store_append (
    DubSoundStore *self, gint64 first_frame, DubPcm *pcm);
/* Fills out with [first_frame, first_frame + frames), zeros in the holes.
 * Returns how many of them were there. */
gsize dub_sound_store_read (
    const DubSoundStore *self, gint64 first_frame, gsize frames, gint16 *out);
/* Lets go of blocks that end at or before frame. */
void dub_sound_store_discard_before (DubSoundStore *self, gint64 frame);
/* First frame still there, and one past the last; both equal when empty. */
gint64 dub_sound_store_begin (const DubSoundStore *self);
gint64 dub_sound_store_end (const DubSoundStore *self);

G_END_DECLS
