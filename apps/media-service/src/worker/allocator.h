/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The C library's allocator, for a process that runs for days: most of its
 * memory is pictures and sound that live for the delay and are freed by another
 * thread than the one that took them.
 */
G_BEGIN_DECLS

/* Few arenas, and large blocks that go back at once. Before any thread. */
void dub_allocator_tune (void);

/* Gives free pages back to the system, also those between pages in use, which
 * the allocator keeps: after a fault, 1 to 2 MB. 0.2 ms for 24 MB, in which
 * other threads wait for memory. Any thread. */
void dub_allocator_trim (void);

G_END_DECLS
