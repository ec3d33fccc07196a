/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/allocator.h"

#include <string.h>
#include <unistd.h>

#define BLOCK 4096
#define N_BLOCKS 8192 /* 32 MiB */
#define KEPT 64       /* one of so many stays */

static gint64
resident_bytes (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) pages = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  pages = g_strsplit (text, " ", 3);
  return g_ascii_strtoll (pages[1], NULL, 10) * sysconf (_SC_PAGESIZE);
}

/* What a source that was lost leaves: much that is free, and here and there a
 * block in use. */
static void
test_trim (void)
{
  g_autofree void **blocks = g_new0 (void *, N_BLOCKS);
  gint64 full, freed, trimmed;

#ifdef __SANITIZE_ADDRESS__
  g_test_skip ("the sanitizer brings an allocator of its own");
  return;
#endif
  dub_allocator_tune ();
  for (guint i = 0; i < N_BLOCKS; i++)
    blocks[i] = memset (g_malloc (BLOCK), 1, BLOCK);
  full = resident_bytes ();
  for (guint i = 0; i < N_BLOCKS; i++)
    if (i % KEPT != 0)
      g_clear_pointer (&blocks[i], g_free);
  freed = resident_bytes ();
  dub_allocator_trim ();
  trimmed = resident_bytes ();
  g_assert_cmpint (full - freed, <, BLOCK * N_BLOCKS / 2);
  g_assert_cmpint (full - trimmed, >, BLOCK * N_BLOCKS / 2);
  for (guint i = 0; i < N_BLOCKS; i++)
    g_free (blocks[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/allocator/trim", test_trim);
  return g_test_run ();
}
