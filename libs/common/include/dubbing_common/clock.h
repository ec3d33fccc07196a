/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Monotonic time in nanoseconds. The system clock reads CLOCK_MONOTONIC; a
 * manual clock stands still until a test moves it. Pure logic takes the time
 * as an argument and needs neither.
 *
 * Any thread.
 */
G_BEGIN_DECLS

#define DUB_NS_PER_MS G_GINT64_CONSTANT (1000000)
#define DUB_NS_PER_S G_GINT64_CONSTANT (1000000000)
#define DUB_TIME_NONE G_MININT64

typedef struct _DubClock DubClock;

DubClock *dub_clock_new_system (void);
DubClock *dub_clock_new_manual (gint64 start_ns);
DubClock *dub_clock_ref (DubClock *clock);
void dub_clock_unref (DubClock *clock);

gint64 dub_clock_now_ns (DubClock *clock);
/* Manual clocks only; delta_ns >= 0. */
void dub_clock_advance (DubClock *clock, gint64 delta_ns);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubClock, dub_clock_unref)

/* A name for a run: 20260102T030405678-1a2b3c4d. In the order of their times,
 * to the millisecond. (transfer full) */
char *dub_run_id_new (void);

G_END_DECLS
