/* SPDX-License-Identifier: Apache-2.0 */
#include "reconnection.h"

guint
dub_reconnection_next_ms (DubReconnection *reconnect, guint32 chance)
{
  static const guint steps_ms[] = {2000, 4000, 8000};
  guint last = G_N_ELEMENTS (steps_ms) - 1;
  guint base_ms = steps_ms[MIN (reconnect->failures, last)];
  guint jitter_ms = (guint) ((guint64) base_ms / 5 * chance / G_MAXUINT32);

  reconnect->failures = MIN (reconnect->failures + 1, last);
  return base_ms - jitter_ms;
}

void
dub_reconnection_reset (DubReconnection *reconnect)
{
  reconnect->failures = 0;
}
