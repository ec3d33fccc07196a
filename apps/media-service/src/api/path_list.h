/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../orchestrator/orchestrator.h"

/*
 * Asks the media server's control API every ORCH_RECONCILE_PERIOD which
 * streams have a publisher, and tells the orchestrator: events may be lost,
 * and some were before we started. A server that cannot be asked changes
 * nothing, and is logged once. Before a worker is started it is asked for that
 * one stream: H.265 is pulled in another way.
 *
 * Thread: the default main context.
 */
G_BEGIN_DECLS

typedef struct _DubPathList DubPathList;

/* NULL when nobody is to be asked. Both must live as long. Asks at once. */
DubPathList *dub_path_list_new (
    const DubServiceSettings *settings, DubOrchestrator *orchestrator);
void dub_path_list_free (DubPathList *self);

/* The ready live/<id>/in paths in a /v3/paths/list answer, DubPresent each;
 * NULL when it is none, or not the whole list. (transfer full) (nullable) */
GArray *dub_path_list_parse (const char *text, gsize length);
/* Fills in the queries that a /v3/rtmpconns/list answer knows. */
void dub_path_list_add_queries (
    GArray *streams, const char *text, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubPathList, dub_path_list_free)

G_END_DECLS
