/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * sherpa-onnx ends the process when a voice file lacks what it looks for, so
 * we look first. An ONNX file is one protobuf message (ModelProto); this walks
 * its top level, steps over the network itself and reads the metadata_props
 * (field 14), a string to string map.
 *
 * Pure; any thread.
 */
G_BEGIN_DECLS

#define DUB_ONNX_MAX_PROPS 64
#define DUB_ONNX_MAX_PROP_BYTES 4096

/* Name → value. DUB_ERROR_INVALID when data is no such message; DUB_ERROR_LIMIT
 * beyond the limits above. (transfer full) (nullable) */
GHashTable *dub_onnx_read_metadata (
    const guint8 *data, gsize length, GError **error);

/* Has the file at path what sherpa-onnx wants of a Piper voice? Its sample
 * rate on success. */
gboolean dub_onnx_check_piper (
    const char *path, guint *ret_rate_hz, GError **error);

/* The same of a Kokoro model and, beside it, the file of its voices, whose
 * size must be right. ret_speakers: their names, in the file's order. */
gboolean dub_onnx_check_kokoro (const char *model, const char *voices,
    char ***ret_speakers, GError **error);

/* The symbols of a tokens.txt ("symbol id" a line; a space is a symbol too) as
 * a set of code points. DUB_ERROR_INVALID at a line that is not such.
 * (transfer full) (nullable) */
GHashTable *dub_onnx_read_tokens (
    const char *text, gsize length, GError **error);

G_END_DECLS
