/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Waiting in a test: for a state, never for a time, and never for ever.
 */

/* Runs the main context until condition holds; ends the test after 30 s. */
#define WAIT_FOR(condition)                                                    \
  G_STMT_START                                                                 \
  {                                                                            \
    gint64 wait_end = g_get_monotonic_time () + 30 * G_TIME_SPAN_SECOND;       \
    guint wait_tick = g_timeout_add (50, wait_on_tick, NULL);                  \
    while (!(condition)) {                                                     \
      if (g_get_monotonic_time () > wait_end)                                  \
        g_error ("%s:%d: never happened: %s", __FILE__, __LINE__, #condition); \
      g_main_context_iteration (NULL, TRUE);                                   \
    }                                                                          \
    g_source_remove (wait_tick);                                               \
  }                                                                            \
  G_STMT_END

static inline gboolean
wait_on_tick (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* What is on its way has arrived or is not coming. */
static inline void
wait_ms (guint ms)
{
  gint64 end = g_get_monotonic_time () + (gint64) ms * G_TIME_SPAN_MILLISECOND;
  guint tick = g_timeout_add (5, wait_on_tick, NULL);

  while (g_get_monotonic_time () < end)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (tick);
}
