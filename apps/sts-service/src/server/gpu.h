/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * How busy the machine's GPUs are, as the kernel's amdgpu driver tells it; of
 * others nothing is known without their makers' libraries, and both are 0.
 *
 * Reads a few small files. Any thread.
 */
G_BEGIN_DECLS

typedef struct {
  double busy_percent;  /* of the busiest */
  double memory_in_use; /* bytes, of all */
} DubGpuUse;

/* folder: "/sys/class/drm", or one that looks like it. */
void dub_gpu_get_use (const char *folder, DubGpuUse *ret_use);

G_END_DECLS
