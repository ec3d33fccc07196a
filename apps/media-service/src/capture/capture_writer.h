/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "capture.h"

/*
 * The capture thread's part: turns what it is told into files. Each call waits
 * for the disk. One thread.
 */
G_BEGIN_DECLS

typedef struct _DubCaptureWriter DubCaptureWriter;

/* Touches no disk yet. */
DubCaptureWriter *dub_capture_writer_new (const DubCaptureOptions *options);
void dub_capture_writer_free (DubCaptureWriter *self);

void dub_capture_writer_segment (
    DubCaptureWriter *self, const DubFragment *fragment);
/* at_us: when it came, in Unix time */
void dub_capture_writer_answer (
    DubCaptureWriter *self, const DubAnswer *answer, gint64 at_us);
void dub_capture_writer_note (
    DubCaptureWriter *self, const DubCaptureNote *note, gint64 at_us);
/* Lines, each with its end. */
void dub_capture_writer_log (DubCaptureWriter *self, const char *lines);
/* What was refused since the last time, for the manifest. */
void dub_capture_writer_lost (DubCaptureWriter *self, guint64 n);
/* Between two of them, at any time: writes the manifest when that is due, and
 * lets old runs go. is_last: due now. */
void dub_capture_writer_settle (DubCaptureWriter *self, gboolean is_last);

/* dropped is the queue's. */
void dub_capture_writer_get_stats (
    DubCaptureWriter *self, DubCaptureStats *ret_stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubCaptureWriter, dub_capture_writer_free)

G_END_DECLS
