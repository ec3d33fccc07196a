/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * What strict output needs beyond json-glib: absent values are left out.
 */

/* Nothing when value is NULL. */
void dub_put_string (JsonObject *object, const char *name, const char *value);
/* Nothing when value is absent. */
void dub_put_int (
    JsonObject *object, const char *name, gint64 value, gint64 absent);
/* object (transfer full) */
JsonNode *dub_object_to_node (JsonObject *object);
/* Entry value of names; "none" outside of them. */
const char *dub_name_of (const char *const *names, gsize n_names, guint value);
