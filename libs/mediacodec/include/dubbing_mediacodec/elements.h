/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The GStreamer elements that our programs stand on, each with the Debian
 * package that brings it. One table: a program that lacks one says so when it
 * starts, and `dub doctor` lists them all.
 *
 * Any thread; gst_init () comes first where something is looked up.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_ELEMENTS_NONE = 0,
  DUB_ELEMENTS_MEDIA = 1 << 0,  /* media-worker cannot do without */
  DUB_ELEMENTS_SPEECH = 1 << 1, /* nor sts-service */
  DUB_ELEMENTS_INPUT = 1 << 2,  /* some sources only */
} DubElementUse;

typedef struct {
  const char *name;
  const char *other; /* (nullable): does as well */
  const char *package;
  const char *what_for;
  guint uses; /* DubElementUse, or'ed */
} DubElement;

/* Ends with { NULL }. */
const DubElement *dub_elements (void);

/* Is it (or its other) installed? */
gboolean dub_element_exists (const DubElement *element);

/* All of that use are there; else DUB_ERROR_NOT_FOUND that names each one that
 * is missing, and the package that brings it. */
gboolean dub_elements_check (DubElementUse use, GError **error);

/* "GStreamer's voaacenc (package gstreamer1.0-plugins-bad)"; works for names
 * that are not in the table, too. (transfer full) */
char *dub_element_describe (const char *name);

G_END_DECLS
