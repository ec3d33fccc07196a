/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

/*
 * What travels between the service and an engine child over their socket
 * pair: a JSON object, and the bytes that belong to it (sound, mostly).
 *
 *   "DUBF" | u32 header bytes | u32 payload bytes | header | payload
 *
 * Numbers are little-endian. A child may be killed in the middle of a write
 * and a model library may write where it should not, so the reader takes
 * nothing for granted: the mark and both limits are checked before a byte of
 * a frame is waited for.
 *
 * Pure; any thread, one at a time.
 */
G_BEGIN_DECLS

#define DUB_FRAME_PREFIX_BYTES 12
#define DUB_FRAME_MAX_HEADER (64u * 1024)
/* 60 s of 48 kHz float32 mono is 11 MiB. */
#define DUB_FRAME_MAX_PAYLOAD (16u * 1024 * 1024)

typedef struct {
  JsonObject *header;
  GBytes *payload; /* never NULL; of no bytes when there is none */
} DubFrame;

/* header (transfer full), payload (transfer none) (nullable) */
DubFrame *dub_frame_new (JsonObject *header, GBytes *payload);
void dub_frame_free (DubFrame *frame);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubFrame, dub_frame_free)

/* DUB_ERROR_LIMIT when a part is larger than its limit.
 * (transfer full) (nullable) */
GBytes *dub_frame_pack (const DubFrame *frame, GError **error);

/* Members of a header, with what to take when one is missing or of another
 * type. (transfer none) */
const char *dub_frame_get_string (
    const DubFrame *frame, const char *name, const char *fallback);
gint64 dub_frame_get_int (
    const DubFrame *frame, const char *name, gint64 fallback);
double dub_frame_get_double (
    const DubFrame *frame, const char *name, double fallback);

/* Puts frames together out of a byte stream. */
typedef struct _DubFrameReader DubFrameReader;

DubFrameReader *dub_frame_reader_new (void);
void dub_frame_reader_free (DubFrameReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubFrameReader, dub_frame_reader_free)

void dub_frame_reader_push (
    DubFrameReader *reader, const guint8 *data, gsize length);
/*
 * FALSE with DUB_ERROR_PROTOCOL or DUB_ERROR_LIMIT: the stream is broken and
 * stays so. TRUE with *ret_frame NULL: more bytes are needed.
 * ret_frame (transfer full) (nullable)
 */
gboolean dub_frame_reader_next (
    DubFrameReader *reader, DubFrame **ret_frame, GError **error);

G_END_DECLS
