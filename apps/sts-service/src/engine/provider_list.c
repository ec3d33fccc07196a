/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.engine"

#include "provider_list.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <string.h>

static const char *
name_of (gconstpointer provider)
{
  return *(const char *const *) provider;
}

static gboolean
is_mock (gconstpointer provider)
{
  return g_str_has_prefix (name_of (provider), "mock");
}

gboolean
dub_provider_list_is_auto (const char *names)
{
  return names == NULL || *names == '\0' || g_str_equal (names, "auto");
}

gconstpointer
dub_provider_find (gconstpointer const *all, const char *name)
{
  for (guint i = 0; all[i] != NULL; i++)
    if (g_strcmp0 (name, name_of (all[i])) == 0 ||
        (g_strcmp0 (name, "mock") == 0 && is_mock (all[i])))
      return all[i];
  return NULL;
}

/* What is not there yet is better named by its own error than by none. */
static GPtrArray *
installed (const DubProviderList *list)
{
  GPtrArray *found = g_ptr_array_new ();

  for (guint i = 0; list->all[i] != NULL; i++)
    if (!is_mock (list->all[i]) &&
        list->is_installed (list->all[i], list->settings))
      g_ptr_array_add (found, (gpointer) list->all[i]);
  if (found->len == 0)
    g_ptr_array_add (found, (gpointer) list->all[0]);
  return found;
}

static char *
known_names (const DubProviderList *list)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; list->all[i] != NULL; i++)
    g_string_append_printf (
        names, "%s%s", i > 0 ? ", " : "", name_of (list->all[i]));
  return g_string_free (names, FALSE);
}

static gboolean
add_named (const DubProviderList *list, const char *name, GPtrArray *found,
    GError **error)
{
  gconstpointer provider = dub_provider_find (list->all, name);

  if (provider == NULL && g_strcmp0 (name, list->other) == 0)
    return TRUE;
  if (provider == NULL) {
    g_autofree char *known = known_names (list);
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "%s: this build has no provider '%s' (it has %s)", list->option, name,
        known);
    return FALSE;
  }
  if (is_mock (provider))
    dub_warning (
        "%s: '%s' is for tests: what it says is made up", list->option, name);
  if (!g_ptr_array_find (found, provider, NULL))
    g_ptr_array_add (found, (gpointer) provider);
  return TRUE;
}

GPtrArray *
dub_provider_list_parse (
    const DubProviderList *list, const char *names, GError **error)
{
  g_autoptr (GPtrArray) found = NULL;
  g_auto (GStrv) parts = NULL;

  if (dub_provider_list_is_auto (names))
    return installed (list);
  found = g_ptr_array_new ();
  parts = g_strsplit (names, ",", -1);
  for (guint i = 0; parts[i] != NULL; i++)
    if (!add_named (list, g_strstrip (parts[i]), found, error))
      return NULL;
  /* Only the other: the build's first stands in for the rest. */
  if (found->len == 0)
    return installed (list);
  return g_steal_pointer (&found);
}
