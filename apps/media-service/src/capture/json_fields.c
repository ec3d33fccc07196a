/* SPDX-License-Identifier: Apache-2.0 */
#include "json_fields.h"

void
dub_json_add_text (JsonBuilder *json, const char *name, const char *value)
{
  g_autofree char *valid = value ? g_utf8_make_valid (value, -1) : NULL;

  if (!value)
    return;
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, valid);
}

void
dub_json_add_int (JsonBuilder *json, const char *name, gint64 value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, value);
}

void
dub_json_add_time (JsonBuilder *json, const char *name, gint64 us)
{
  g_autoptr (GDateTime) seconds =
      g_date_time_new_from_unix_utc (us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) time = g_date_time_add (seconds, us % G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format_iso8601 (time);

  if (us > 0)
    dub_json_add_text (json, name, text);
}
