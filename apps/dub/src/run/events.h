/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * What a worker tells on its control socket: one JSON object a line, at most
 * 1 MiB. Lines that are none are passed over. The socket is tried again until
 * it is there.
 *
 * The thread of the default main context.
 */
G_BEGIN_DECLS

typedef struct _DubEvents DubEvents;

typedef void (*DubEventsFunc) (JsonObject *message, gpointer user_data);

DubEvents *dub_events_new (
    const char *path, DubEventsFunc on_message, gpointer user_data);
void dub_events_free (DubEvents *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubEvents, dub_events_free)

/* All that has come by now is told; for when the worker has ended. */
void dub_events_drain (DubEvents *self);

/* A member that is text, or fallback. */
const char *dub_event_text (
    JsonObject *object, const char *name, const char *fallback);
/* A member that is a number, or a text that is one; else 0. */
double dub_event_number (JsonObject *object, const char *name);

G_END_DECLS
