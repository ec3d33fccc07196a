/* SPDX-License-Identifier: Apache-2.0 */
#include "ports.h"

#include <stdio.h>
#include <string.h>

#define LISTENS 0x0a

static guint64
inode_of_line (const char *line, guint16 port)
{
  unsigned int local = 0, state = 0;
  unsigned long long inode = 0;

  /* slot, address:port, peer, state, queues, timer, retries, user, probes,
   * inode; the kernel wrote them */
  /* NOLINTNEXTLINE(cert-err34-c) */
  if (sscanf (line,
          " %*d: %*32[0-9A-Fa-f]:%4x %*[0-9A-Fa-f:] %2x %*s %*s %*s %*s %*s "
          "%llu",
          &local, &state, &inode) != 3)
    return 0;
  return local == port && state == LISTENS ? inode : 0;
}

guint64
dub_ports_find_listener (const char *table, guint16 port)
{
  g_auto (GStrv) lines = g_strsplit (table, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++) {
    guint64 inode = inode_of_line (lines[i], port);

    if (inode != 0)
      return inode;
  }
  return 0;
}

static gboolean
has_descriptor (const char *pid, const char *wanted)
{
  g_autofree char *folder = g_build_filename ("/proc", pid, "fd", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_autofree char *target = g_file_read_link (path, NULL);

    if (g_strcmp0 (target, wanted) == 0)
      return TRUE;
  }
  return FALSE;
}

static char *
describe (const char *pid)
{
  g_autofree char *path = g_build_filename ("/proc", pid, "comm", NULL);
  g_autofree char *name = NULL;

  if (!g_file_get_contents (path, &name, NULL, NULL))
    return g_strdup_printf ("pid %s", pid);
  return g_strdup_printf ("%s (pid %s)", g_strchomp (name), pid);
}

static char *
find_owner (guint64 inode)
{
  g_autofree char *wanted =
      g_strdup_printf ("socket:[%" G_GUINT64_FORMAT "]", inode);
  g_autoptr (GDir) dir = g_dir_open ("/proc", 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_ascii_isdigit (*name) && has_descriptor (name, wanted))
      return describe (name);
  return g_strdup ("another user's program");
}

gboolean
dub_ports_is_taken (guint16 port, char **ret_who)
{
  static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};

  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++) {
    g_autofree char *table = NULL;
    guint64 inode;

    if (!g_file_get_contents (tables[i], &table, NULL, NULL))
      continue;
    inode = dub_ports_find_listener (table, port);
    if (inode == 0)
      continue;
    *ret_who = find_owner (inode);
    return TRUE;
  }
  return FALSE;
}
