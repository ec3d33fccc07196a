/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "media.orchestrator"
#include "state_file.h"

#include "../control/json_text.h"
#include "stream_settings.h"

#include <dubbing_common/log.h>
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#define SUFFIX ".json"
#define FRESH ".new"

/* (transfer full) */
static char *
path_of (const char *folder, const char *stream_id)
{
  g_autofree char *name = g_strconcat (stream_id, SUFFIX, NULL);

  return g_build_filename (folder, name, NULL);
}

/* (transfer full) (nullable) */
static char *
read_file (const char *path)
{
  GStatBuf info;
  char *text = NULL;

  if (g_stat (path, &info) != 0 || info.st_size > DUB_STATE_MAX_BYTES)
    return NULL;
  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

/* Renamed over the old one, so that nobody reads a half. It is not waited for
 * until it is on the disk, which takes tens of milliseconds and an answer to a
 * hook would wait too: it has to outlive the service, not the machine. */
static gboolean
replace (const char *path, const char *text, GError **error)
{
  g_autofree char *fresh = g_strconcat (path, FRESH, NULL);

  if (!g_file_set_contents_full (
          fresh, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, error))
    return FALSE;
  if (g_rename (fresh, path) == 0)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
      "cannot rename '%s': %s", fresh, g_strerror (errno));
  return FALSE;
}

void
dub_state_file_save (
    const char *folder, const char *stream_id, JsonObject *state)
{
  g_autofree char *path = path_of (folder, stream_id);
  g_autofree char *text = dub_json_object_to_line (state);
  g_autofree char *old = read_file (path);
  g_autoptr (GError) error = NULL;

  if (g_strcmp0 (text, old) == 0)
    return;
  if (!replace (path, text, &error))
    dub_warning ("what %s is told is not kept: %s", stream_id, error->message);
}

void
dub_state_file_remove (const char *folder, const char *stream_id)
{
  g_autofree char *path = path_of (folder, stream_id);

  g_unlink (path);
}

JsonObject *
dub_state_file_load (const char *folder, const char *stream_id)
{
  g_autofree char *path = path_of (folder, stream_id);
  g_autofree char *text = read_file (path);

  return text != NULL
             ? dub_json_object_parse (text, -1, DUB_STATE_MAX_BYTES, NULL)
             : NULL;
}

GPtrArray *
dub_state_file_find (const char *folder, const char *suffix)
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) directory = g_dir_open (folder, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *id = NULL;

    if (!g_str_has_suffix (name, suffix))
      continue;
    id = g_strndup (name, strlen (name) - strlen (suffix));
    if (dub_stream_id_is_valid (id))
      g_ptr_array_add (ids, g_steal_pointer (&id));
  }
  return ids;
}
