/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What a process uses, as the kernel tells it below /proc: so that an engine's
 * cost can be told from what else the machine is doing. Of a process that is
 * gone everything is 0.
 *
 * Any thread.
 */
G_BEGIN_DECLS

/* pid: a number, or "self" */
double dub_proc_cpu_s (const char *pid); /* user and system, so far */
double dub_proc_resident_mib (const char *pid);

/* Over all that the calling thread has started, and what those have. */
double dub_proc_sum_of_children (double (*figure) (const char *pid));

G_END_DECLS
