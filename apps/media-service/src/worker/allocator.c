/* SPDX-License-Identifier: Apache-2.0 */
#include "allocator.h"

#include <malloc.h>

#define MAX_ARENAS 2
#define LARGE_BYTES (256 * 1024)

void
dub_allocator_tune (void)
{
  mallopt (M_ARENA_MAX, MAX_ARENAS);
  mallopt (M_TRIM_THRESHOLD, LARGE_BYTES);
  mallopt (M_MMAP_THRESHOLD, LARGE_BYTES);
}

void
dub_allocator_trim (void)
{
  malloc_trim (0);
}
