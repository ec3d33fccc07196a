/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/queue.h>
#include <media_service/values.h>

/*
 * Pulls one stream and hands out its coded pictures, as they came, and its
 * sound as 48 kHz stereo PCM, both at the source's own times.
 *
 * Each connection is a new GStreamer pipeline. A connection that ends, stays
 * silent for silence_ms, or cannot be made is retried after 0.25, 0.5 and
 * 1 s, then every 2 s, until grace_ms have passed without a packet. What a
 * retry cannot mend (no sound track, a codec we do not take) ends the ingest
 * at once. Errors name the URL without its key, and the cause.
 *
 * Owned by one thread, the one whose thread-default main context was current
 * at dub_ingest_new (); all calls and callbacks there. The streaming threads
 * of GStreamer only push DubIngestItem into the queue, which is bounded and
 * belongs to the caller.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_INGEST_ITEM_NONE = 0,
  DUB_INGEST_ITEM_CONNECTED, /* what follows is of a new connection */
  DUB_INGEST_ITEM_VIDEO,
  DUB_INGEST_ITEM_SOUND,
  DUB_INGEST_ITEM_NO_SOUND, /* this connection has none (allow_no_audio) */
  DUB_INGEST_ITEM_LOST,     /* nothing more of this connection */
  DUB_INGEST_ITEM_END,      /* nothing more at all */
} DubIngestItemKind;

/* A value in the queue; read only. */
typedef struct {
  DubIngestItemKind kind;
  gint64 arrival_ns;   /* CLOCK_MONOTONIC */
  DubAccessUnit *unit; /* of VIDEO */
  DubPcm *pcm;         /* of SOUND */
} DubIngestItem;
void dub_ingest_item_free (DubIngestItem *item);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubIngestItem, dub_ingest_item_free)

/* A queue that fits: refuses what is beyond 64 MiB or 8192 items. */
DubQueue *dub_ingest_queue_new (void);

typedef enum {
  DUB_INGEST_STATE_NONE = 0,
  DUB_INGEST_CONNECTING,
  DUB_INGEST_RUNNING, /* packets come */
  DUB_INGEST_WAITING, /* for the next attempt; error says why */
  DUB_INGEST_FAILED,  /* for good; error says why */
  DUB_INGEST_ENDED,   /* a file was read to its end */
} DubIngestState;
const char *dub_ingest_state_to_string (DubIngestState state);

typedef struct {
  const char *url;  /* rtmp, rtmps or file */
  gboolean is_fast; /* a file: as fast as the queue is read, not in real time */
  gboolean allow_no_audio; /* silence in place of the error */
  guint tracks_ms;         /* both tracks must be there by then; 2000 */
  guint silence_ms;        /* no packet for so long is a loss; 3000 */
  guint grace_ms;          /* 30000 */
} DubIngestOptions;
void dub_ingest_options_init (DubIngestOptions *options);

/* error: NULL but for WAITING and FAILED. Must not free the ingest. */
typedef void (*DubIngestStateFunc) (
    DubIngestState state, const GError *error, gpointer user_data);

typedef struct _DubIngest DubIngest;

/* options and its URL are copied; DUB_ERROR_INVALID or _UNSUPPORTED for a URL
 * that is not ours to read. gst_init () comes first. */
DubIngest *dub_ingest_new (const DubIngestOptions *options, DubQueue *queue,
    DubIngestStateFunc on_state, gpointer user_data, GError **error);
void dub_ingest_free (DubIngest *self);
void dub_ingest_start (DubIngest *self);
/* Ends the connection and pushes END; no callback follows. */
void dub_ingest_stop (DubIngest *self);
/* A "ready" event: do not wait for the next attempt. */
void dub_ingest_reconnect_now (DubIngest *self);
guint dub_ingest_get_n_connections (const DubIngest *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubIngest, dub_ingest_free)

G_END_DECLS
