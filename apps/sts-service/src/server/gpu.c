/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu.h"

#include <string.h>

static double
read_number (const char *folder, const char *card, const char *name)
{
  g_autofree char *path = g_build_filename (folder, card, "device", name, NULL);
  g_autofree char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  return MAX (g_ascii_strtod (text, NULL), 0);
}

void
dub_gpu_get_use (const char *folder, DubGpuUse *ret_use)
{
  GDir *cards = g_dir_open (folder, 0, NULL);
  const char *card;

  *ret_use = (DubGpuUse){0};
  while (cards != NULL && (card = g_dir_read_name (cards)) != NULL) {
    double busy;

    /* "card0"; "card0-DP-1" is one of its sockets. */
    if (!g_str_has_prefix (card, "card") || strchr (card, '-') != NULL)
      continue;
    busy = read_number (folder, card, "gpu_busy_percent");
    ret_use->busy_percent = MAX (ret_use->busy_percent, busy);
    ret_use->memory_in_use += read_number (folder, card, "mem_info_vram_used");
  }
  g_clear_pointer (&cards, g_dir_close);
}
