/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The clock of file mode. Nothing is live: a file is read as fast as it can be
 * dubbed, and media time advances when all that was said before it has its
 * answer, or has failed for good. No answer is ever too late.
 *
 *   taken in   |=============================================|
 *   judged     |===================================|            the detector
 *   in a piece           |----|     |-----|      |-- open
 *   answered             yes        not yet
 *   may leave  |====================|
 *
 * Pure.
 */
G_BEGIN_DECLS

/* A file holds its tracks side by side; one that is so far behind the other has
 * ended, or has a hole, and is not waited for. */
#define DUB_FILE_TRACK_SLACK_NS (G_GINT64_CONSTANT (10000000000))

/* Media times in ns; G_MAXINT64: no limit. */
typedef struct {
  gint64 video_ns;  /* pictures are there up to here */
  gint64 sound_ns;  /* sound is there up to here */
  gint64 speech_ns; /* no piece of speech that is still to come starts before */
  gint64 dubbing_ns; /* start of the first piece without an answer */
  gboolean is_ended; /* nothing more comes in: only answers are waited for */
} DubFileProgress;

/* What lies before it may leave. block_ns: how far ahead of itself the sound is
 * mixed. */
gint64 dub_file_clock_ns (const DubFileProgress *progress, gint64 block_ns);

G_END_DECLS
