/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ingest.h"

/*
 * The last step of a connection before the ingest queue. Where the source says
 * how its tracks lie (RTMP, files) items pass straight through. Where it does
 * not (RTSP) the first second of media is held until track_align.h knows, then
 * goes on with its own times of arrival, and all sound is moved alike: what is
 * due in OUTPUT_DELAY_MS does not miss that second.
 *
 * push from any thread, even from several; new and free on the owner's.
 */
G_BEGIN_DECLS

typedef struct _DubInlet DubInlet;

DubInlet *dub_inlet_new (DubQueue *queue, gboolean needs_align);
/* What is still held goes on first. */
void dub_inlet_free (DubInlet *self);

/* See track_align.h. */
void dub_inlet_set_reorder (DubInlet *self, guint pictures);
/* A picture that is not handed on, but came. */
void dub_inlet_note_picture (DubInlet *self, gint64 pts_ns, gint64 arrival_ns);
/* item: (transfer full) */
void dub_inlet_push (DubInlet *self, DubIngestItem *item);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubInlet, dub_inlet_free)

G_END_DECLS
