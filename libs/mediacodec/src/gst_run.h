/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gst/gst.h>

/*
 * One short pipeline from its first byte to its last: memory in, buffers out,
 * within a time that is bounded.
 *
 * Blocks; any thread. gst_init () comes first.
 */
G_BEGIN_DECLS

/* Caps are those of the buffer. FALSE with error ends the run. */
typedef gboolean (*DubGstTake) (
    GstSample *sample, gpointer user_data, GError **error);

typedef struct {
  /* gst_parse_launch () text, "appsrc name=in" to "appsink name=out" */
  const char *description;
  GBytes *bytes;
  GPtrArray *units; /* of GBytes, instead of bytes; (nullable) */
  GstCaps *caps;    /* NULL: bytes are as a file has them */
  DubGstTake take;
  gpointer user_data;
  guint timeout_ms; /* DUB_ERROR_TIMEOUT */
} DubGstRun;

/* What GStreamer reports as an error is DUB_ERROR_INVALID: the input is to
 * blame. An element that is not installed: DUB_ERROR_UNAVAILABLE. */
gboolean dub_gst_run (const DubGstRun *run, GError **error);

/* The first of these element names that is installed; NULL when none is. */
const char *dub_gst_first_of (const char *const *names);

G_END_DECLS
