/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * One thread or all of them, by which has been the faster lately.
 *
 * The decoder's steps are small, hundreds for each token, and its threads wait
 * for each other after each. With two cores to itself Whisper base takes 16 ms
 * a token on two threads and 22 on one; where the host takes a core away for
 * moments at a time, both wait: 40 ms on two, 20 on one. Which it is changes by
 * the minute, so it is measured while it works, and the other is looked at
 * again each DUB_THREAD_PROBE_EVERY steps.
 *
 * A value; no clock of its own. One thread at a time.
 */
G_BEGIN_DECLS

#define DUB_THREAD_PROBE_EVERY 16

typedef struct {
  double step_ns[2]; /* with one thread, with all; 0: not known */
  guint since_probe;
} DubThreadChoice;

/* For the next step: 1 or most. most: at least 1. */
int dub_thread_choice_next (DubThreadChoice *self, int most);

/* For a step of another kind, of which nothing is learnt. */
int dub_thread_choice_best (const DubThreadChoice *self, int most);

/* A step with so many threads took so long. Steps must be alike. */
void dub_thread_choice_learn (
    DubThreadChoice *self, int threads, gint64 took_ns);

G_END_DECLS
