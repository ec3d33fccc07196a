/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The body of a MediaMTX event: {"path", "sourceType", "sourceId", "query"};
 * the snake_case names are taken as well. Source types are an open list, as
 * MediaMTX gains new ones.
 *
 * Pure. Any thread.
 */
G_BEGIN_DECLS

#define DUB_HOOK_MAX_BYTES 16384

typedef enum {
  DUB_HOOK_NONE = 0,
  DUB_HOOK_IN,
  DUB_HOOK_OUT,
} DubHookDirection;

typedef struct {
  char *path; /* live/<stream_id>/in or .../out */
  char *stream_id;
  DubHookDirection direction;
  char *source_type; /* (nullable) */
  char *source_id;   /* (nullable) */
  char *query;       /* (nullable) */
} DubHookEvent;

/*
 * needs_source: sourceType and sourceId must be there, as in the events of
 * mtx-hook. On failure *ret_field names what is wrong, NULL for the body as
 * such. (transfer full) (nullable)
 */
DubHookEvent *dub_hook_event_parse (const char *text, gsize length,
    gboolean needs_source, const char **ret_field, GError **error);
void dub_hook_event_free (DubHookEvent *event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubHookEvent, dub_hook_event_free)

G_END_DECLS
