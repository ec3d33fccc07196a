/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gst/gst.h>
#include <media_service/values.h>

/*
 * One connection whose container GStreamer writes, as a pipeline of its own:
 *
 *   appsrc ! h264parse ─┬─▶ mpegtsmux ! srtsink        (SRT)
 *   appsrc ! aacparse ──┴─▶ rtspclientsink             (RTSP, by TCP)
 *
 * The muxer is live: it waits 200 ms for a track that is late, not longer.
 * Times are media times; the pipeline's clock is set so that the first one is
 * now.
 *
 * An RTSP server lays the tracks by when their first packets come, as no report
 * has told it more. So media is pushed only once it has said yes (is_ready),
 * and each packet leaves at its time by the clock, 200 ms later: what waited
 * for the connection would leave in one burst, one track before the other.
 *
 * Starting and stopping wait for a network, so a thread of GStreamer's
 * does both; whoever closes a link has done with it at once.
 *
 * new and close on the owner's thread, where on_message is called. connect,
 * begin and push from any thread, one at a time; they never block. The rest
 * from any.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_MUX_NONE = 0,
  DUB_MUX_SRT,
  DUB_MUX_RTSP,
} DubMuxKind;

typedef struct _DubMuxLink DubMuxLink;

/* What has left the queues. */
typedef struct {
  guint64 units; /* pictures and frames of sound */
  guint64 bytes;
  gint64 taken_ns; /* dts of the last picture; G_MININT64: none */
} DubMuxSent;

/* message: what the pipeline's bus tells. */
typedef void (*DubMuxMessageFunc) (GstMessage *message, gpointer user_data);

/* DUB_ERROR_NOT_FOUND names the element that is not installed. */
DubMuxLink *dub_mux_link_new (DubMuxKind kind, const char *url,
    DubMuxMessageFunc on_message, gpointer user_data, GError **error);
/* No message comes any more. Frees it in the end. */
void dub_mux_link_close (DubMuxLink *self);

/* Connects. RTSP: a picture of that codec and a frame of sound come next, which
 * tell the formats and are not sent; dts_ns, which is now, is the picture's. */
void dub_mux_link_connect (DubMuxLink *self, DubVideoCodec codec,
    GBytes *codec_data, GBytes *sound_config, gint64 dts_ns);
/* It can begin. */
gboolean dub_mux_link_is_ready (DubMuxLink *self);
/* Sends what is pushed from now on; a key frame is the first picture, nothing
 * is earlier than from_ns. */
void dub_mux_link_begin (DubMuxLink *self, gint64 from_ns);
/* The same codec with other parameters, before the picture that has them. */
void dub_mux_link_configure (
    DubMuxLink *self, DubVideoCodec codec, GBytes *codec_data);
void dub_mux_link_push_video (DubMuxLink *self, const DubAccessUnit *unit);
void dub_mux_link_push_sound (DubMuxLink *self, GBytes *frame, gint64 pts_ns);
/* All has been pushed; EOS follows. */
void dub_mux_link_end (DubMuxLink *self);

void dub_mux_link_get_sent (DubMuxLink *self, DubMuxSent *ret_sent);
/* The server takes what is sent. */
gboolean dub_mux_link_is_taken (DubMuxLink *self);

G_END_DECLS
