/* SPDX-License-Identifier: Apache-2.0 */
#include "thread_choice.h"

#define LEARN 0.25
/* A single step that was held up says little; a host that holds all of them
 * shows within a few. */
#define MAX_FACTOR 3.0

static gboolean
is_all_best (const DubThreadChoice *self)
{
  return self->step_ns[1] <= 0 || self->step_ns[1] < self->step_ns[0];
}

int
dub_thread_choice_best (const DubThreadChoice *self, int most)
{
  return is_all_best (self) ? most : 1;
}

int
dub_thread_choice_next (DubThreadChoice *self, int most)
{
  gboolean is_all = is_all_best (self);

  if (self->step_ns[1] > 0 && self->step_ns[0] <= 0)
    return 1;
  if (++self->since_probe >= DUB_THREAD_PROBE_EVERY) {
    self->since_probe = 0;
    is_all = !is_all;
  }
  return is_all ? most : 1;
}

void
dub_thread_choice_learn (DubThreadChoice *self, int threads, gint64 took_ns)
{
  double *known = &self->step_ns[threads > 1];
  double took = (double) MAX (took_ns, 1);

  if (*known > 0)
    *known += LEARN * (MIN (took, *known * MAX_FACTOR) - *known);
  else
    *known = took;
}
