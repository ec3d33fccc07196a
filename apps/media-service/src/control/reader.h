/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * Bytes in, JSON objects out: one object a line. A line that is too long or
 * no object is reported once and skipped, and the next one is read as if
 * nothing had been. Holds at most one line and what was fed last.
 *
 * Pure: no clock, no socket. One thread at a time.
 */
G_BEGIN_DECLS

typedef struct _DubControlReader DubControlReader;

DubControlReader *dub_control_reader_new (gsize max_line_bytes);
void dub_control_reader_free (DubControlReader *reader);

void dub_control_reader_feed (
    DubControlReader *reader, const void *data, gsize size);
/*
 * FALSE: nothing more for now. TRUE with *ret_message (transfer full): an
 * object. TRUE with *ret_message NULL: a bad line, and error says why.
 */
gboolean dub_control_reader_next (
    DubControlReader *reader, JsonObject **ret_message, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubControlReader, dub_control_reader_free)

G_END_DECLS
