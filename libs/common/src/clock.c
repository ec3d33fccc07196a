/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/clock.h"

#include <time.h>

struct _DubClock {
  gatomicrefcount ref_count;
  gboolean is_manual; /* immutable */

  GMutex lock;
  gint64 manual_ns; /* protected by lock */
};

static DubClock *
clock_new (gboolean is_manual, gint64 start_ns)
{
  DubClock *self = g_new0 (DubClock, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  self->is_manual = is_manual;
  self->manual_ns = start_ns;
  return self;
}

DubClock *
dub_clock_new_system (void)
{
  return clock_new (FALSE, 0);
}

DubClock *
dub_clock_new_manual (gint64 start_ns)
{
  return clock_new (TRUE, start_ns);
}

DubClock *
dub_clock_ref (DubClock *clock)
{
  g_return_val_if_fail (clock != NULL, NULL);
  g_atomic_ref_count_inc (&clock->ref_count);
  return clock;
}

void
dub_clock_unref (DubClock *clock)
{
  if (clock == NULL || !g_atomic_ref_count_dec (&clock->ref_count))
    return;
  g_mutex_clear (&clock->lock);
  g_free (clock);
}

static gint64
system_now_ns (void)
{
  struct timespec now;

  /* Cannot fail: the clock exists on every Linux and the pointer is ours. */
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * DUB_NS_PER_S + now.tv_nsec;
}

gint64
dub_clock_now_ns (DubClock *clock)
{
  gint64 now_ns;

  g_return_val_if_fail (clock != NULL, 0);
  if (!clock->is_manual)
    return system_now_ns ();
  g_mutex_lock (&clock->lock);
  now_ns = clock->manual_ns;
  g_mutex_unlock (&clock->lock);
  return now_ns;
}

void
dub_clock_advance (DubClock *clock, gint64 delta_ns)
{
  g_return_if_fail (clock != NULL && clock->is_manual);
  g_return_if_fail (delta_ns >= 0);
  g_mutex_lock (&clock->lock);
  clock->manual_ns += delta_ns;
  g_mutex_unlock (&clock->lock);
}

char *
dub_run_id_new (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *seconds = g_date_time_format (now, "%Y%m%dT%H%M%S");

  return g_strdup_printf ("%s%03d-%08x", seconds,
      g_date_time_get_microsecond (now) / 1000, g_random_int ());
}
