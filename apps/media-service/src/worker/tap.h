/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <media_service/values.h>

/*
 * A record of what passed a point of the worker, for tests that compare what
 * went in with what came out: one CSV file, one line per unit,
 *
 *   pts_ns,dts_ns,is_key,size,sha1            (pictures)
 *   pts_ns,frames,peak                        (sound)
 *
 * One thread per tap. A NULL tap is a tap that records nothing.
 */
G_BEGIN_DECLS

typedef struct _DubTap DubTap;

DubTap *dub_tap_new (const char *folder, const char *name, GError **error);
void dub_tap_free (DubTap *tap);
void dub_tap_video (DubTap *tap, const DubAccessUnit *unit);
void dub_tap_sound (DubTap *tap, const DubPcm *pcm);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubTap, dub_tap_free)

G_END_DECLS
