/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gst/gst.h>

/*
 * What GStreamer's buses of this process have told: a worker has one ingest and
 * a pipeline per output, each connection a new one, so the counts outlive them
 * all and are kept here. A warning is also logged, with its element; an error
 * becomes a GError of the stage that has it.
 *
 * Any thread.
 */
G_BEGIN_DECLS

/* The names that metrics use for them. */
typedef enum {
  DUB_BUS_PIPELINE_ERROR = 0, /* GStreamer's core */
  DUB_BUS_ELEMENT_ERROR,      /* a resource or a library */
  DUB_BUS_STREAM_ERROR,       /* what came cannot be used */
  DUB_BUS_NEGOTIATION_ERROR,
  DUB_BUS_N_ERRORS,
} DubBusError;
const char *dub_bus_error_to_string (DubBusError error);

typedef struct {
  guint64 errors[DUB_BUS_N_ERRORS];
  guint64 warnings;
} DubBusCounts;

/* An error or a warning; others are passed over. url: of the connection, for
 * its key never to reach the log. */
void dub_bus_note (GstMessage *message, const char *url);
void dub_bus_get_counts (DubBusCounts *ret_counts);

G_END_DECLS
