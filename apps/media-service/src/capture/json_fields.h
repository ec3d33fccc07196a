/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * Members of the JSON objects of a run. What is not known is left out.
 *
 * Pure; any thread.
 */
G_BEGIN_DECLS

/* value: (nullable); what is no UTF-8 of it is marked as such */
void dub_json_add_text (JsonBuilder *json, const char *name, const char *value);
void dub_json_add_int (JsonBuilder *json, const char *name, gint64 value);
/* us: Unix time, written as ISO 8601; 0: not known */
void dub_json_add_time (JsonBuilder *json, const char *name, gint64 us);

G_END_DECLS
