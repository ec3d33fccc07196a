/* SPDX-License-Identifier: Apache-2.0 */
#include "server/gpu.h"

#include <glib/gstdio.h>

static void
put (const char *folder, const char *card, const char *name, const char *text)
{
  g_autofree char *device = g_build_filename (folder, card, "device", NULL);
  g_autofree char *path = g_build_filename (device, name, NULL);

  g_assert_cmpint (g_mkdir_with_parents (device, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
remove_tree (const char *path)
{
  GDir *folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *inner = g_build_filename (path, name, NULL);

    remove_tree (inner);
  }
  g_clear_pointer (&folder, g_dir_close);
  g_remove (path);
}

static void
test_two_cards (void)
{
  g_autofree char *folder = g_dir_make_tmp ("dub-gpu-XXXXXX", NULL);
  DubGpuUse use;

  put (folder, "card0", "gpu_busy_percent", "12\n");
  put (folder, "card0", "mem_info_vram_used", "1000\n");
  put (folder, "card1", "gpu_busy_percent", "77\n");
  put (folder, "card1", "mem_info_vram_used", "2000\n");
  put (folder, "card1-DP-1", "gpu_busy_percent", "99\n");
  put (folder, "renderD128", "gpu_busy_percent", "99\n");
  dub_gpu_get_use (folder, &use);
  g_assert_cmpfloat (use.busy_percent, ==, 77);
  g_assert_cmpfloat (use.memory_in_use, ==, 3000);
  remove_tree (folder);
}

static void
test_none (void)
{
  DubGpuUse use = {1, 1};

  dub_gpu_get_use ("/nowhere", &use);
  g_assert_cmpfloat (use.busy_percent, ==, 0);
  g_assert_cmpfloat (use.memory_in_use, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/gpu/two-cards", test_two_cards);
  g_test_add_func ("/sts/gpu/none", test_none);
  return g_test_run ();
}
