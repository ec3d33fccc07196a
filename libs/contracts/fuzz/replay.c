/* SPDX-License-Identifier: Apache-2.0 */
/* Without libFuzzer: runs the target over every file of the folders named. */
#include <glib.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static guint
replay_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  guint count = 0;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_autofree char *data = NULL;
    gsize size = 0;

    if (!g_file_get_contents (path, &data, &size, NULL))
      continue;
    LLVMFuzzerTestOneInput ((const uint8_t *) data, size);
    count++;
  }
  return count;
}

int
main (int argc, char **argv)
{
  guint count = 0;

  for (int i = 1; i < argc; i++)
    count += replay_folder (argv[i]);
  g_print ("replayed %u inputs\n", count);
  return count > 0 ? 0 : 1;
}
