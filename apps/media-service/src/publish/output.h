/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "publisher.h"

/*
 * One place that coded pictures and sound go to, whatever its protocol. What
 * is pushed is shared by all outputs of a stream and never coded again; each
 * output has its own connection, bounded queue and retries, and drops what it
 * cannot send, so none can slow another.
 *
 *   rtmp, rtmps    publisher.h     FLV
 *   srt, rtsp(s)   mux_link.h      MPEG-TS, RTP
 *
 * new, finish and free on the owner's thread (the thread-default main context
 * of dub_output_new ()), where on_state is called. The rest from any thread,
 * but one at a time; it never blocks.
 */
G_BEGIN_DECLS

typedef struct {
  const char *url;
  gboolean is_foreign; /* not our own server: waits of 1 to 30 s */
} DubOutputOptions;

/* A picture or a frame of sound on its way to every output of a stream. All
 * zero but for what it is. */
typedef struct {
  const DubAccessUnit *unit; /* a picture; else */
  GBytes *frame;             /* one raw AAC frame */
  gint64 pts_ns;             /* of frame */
  DubFlvTag *tag; /* of either: made by the first output that needs it */
} DubCodedItem;
void dub_coded_item_clear (DubCodedItem *item);

typedef struct _DubOutput DubOutput;

/* sound_config: AudioSpecificConfig. DUB_ERROR_INVALID or _UNSUPPORTED for a
 * URL that no output takes, DUB_ERROR_NOT_FOUND where what it needs is not
 * installed. */
DubOutput *dub_output_new (const DubOutputOptions *options,
    GBytes *sound_config, DubPublisherStateFunc on_state, gpointer user_data,
    GError **error);
void dub_output_free (DubOutput *self);
gboolean dub_output_check_url (const char *url, GError **error);

/* Before the first picture, and where it changes; dts_ms of what follows. */
void dub_output_configure (
    DubOutput *self, DubVideoCodec codec, GBytes *codec_data, gint64 dts_ms);
void dub_output_push (DubOutput *self, DubCodedItem *item);
/* Sends what is left; ENDED follows, after timeout_ms at the latest. */
void dub_output_finish (DubOutput *self, guint timeout_ms);
void dub_output_get_stats (DubOutput *self, DubPublisherStats *ret_stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubOutput, dub_output_free)

G_END_DECLS
