/* SPDX-License-Identifier: Apache-2.0 */
#include "service_rig.h"

#include <signal.h>
#include <string.h>

/*
 * Many streams at once, and events of the media server in any order, late and
 * more than once: what is true in the end is what runs in the end, with one
 * worker each.
 */

#define N_STREAMS 20
#define N_EVENTS 500

/* Deterministic: the same storm each time. */
static void
shuffle (guint *order, guint n, GRand *random)
{
  for (guint i = n - 1; i > 0; i--) {
    guint k = (guint) g_rand_int_range (random, 0, (gint32) i + 1);
    guint kept = order[i];

    order[i] = order[k];
    order[k] = kept;
  }
}

/* Of event i: stream i % 20, and of its publisher p: ready, ready again,
 * not-ready, not-ready again. */
static void
tell_event (ServiceRig *f, guint i)
{
  guint stream = i % N_STREAMS;
  guint turn = i / N_STREAMS;
  g_autofree char *id = g_strdup_printf ("s%u", stream);
  g_autofree char *source = g_strdup_printf ("p%u", turn / 4);

  g_assert_cmpuint (
      service_tell (f, turn % 4 < 2 ? "ready" : "not-ready", id, source, ""),
      ==, 200);
}

static guint
count_lines (ServiceRig *f, const char *what)
{
  g_autofree char *log = program_log (f->service);
  guint n = 0;

  for (const char *at = strstr (log, what); at != NULL;
       at = strstr (at + 1, what))
    n++;
  return n;
}

static void
wait_all (ServiceRig *f, guint first, const char *state)
{
  for (guint i = first; i < N_STREAMS; i += 2) {
    g_autofree char *id = g_strdup_printf ("s%u", i);

    service_wait_state (f, id, state);
  }
}

/* In the end those with an even number have a publisher, the others not. */
static void
test_hooks (ServiceRig *f, gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  guint order[N_EVENTS];

  for (guint i = 0; i < N_EVENTS; i++)
    order[i] = i;
  shuffle (order, N_EVENTS, random);
  for (guint i = 0; i < N_EVENTS; i++)
    tell_event (f, order[i]);
  for (guint i = 0; i < N_STREAMS; i++) {
    g_autofree char *id = g_strdup_printf ("s%u", i);

    service_tell (f, "ready", id, "last", "");
    if (i % 2 == 1)
      service_tell (f, "not-ready", id, "last", "");
  }
  wait_all (f, 0, "running");
  wait_all (f, 1, "stopped");
  for (guint i = 0; i < N_STREAMS; i++) {
    g_autofree char *id = g_strdup_printf ("s%u", i);

    g_assert_cmpint (service_pid_of (f, id) != 0, ==, i % 2 == 0);
  }
  /* Each that was started runs or has ended: none was lost sight of. */
  g_assert_cmpuint (count_lines (f, "started worker") - N_STREAMS / 2, ==,
      count_lines (f, " ended: "));
}

/* All at once, all found again by the next service, all gone with it. */
static void
test_twenty (ServiceRig *f, gconstpointer data)
{
  gint64 pids[N_STREAMS];

  for (guint i = 0; i < N_STREAMS; i++) {
    g_autofree char *id = g_strdup_printf ("s%u", i);

    service_tell (f, "ready", id, "a", "");
  }
  wait_all (f, 0, "running");
  wait_all (f, 1, "running");
  for (guint i = 0; i < N_STREAMS; i++) {
    g_autofree char *id = g_strdup_printf ("s%u", i);

    pids[i] = service_pid_of (f, id);
  }
  program_kill (f->service, SIGKILL);
  service_start (f);
  wait_all (f, 0, "running");
  wait_all (f, 1, "running");
  for (guint i = 0; i < N_STREAMS; i++) {
    g_autofree char *id = g_strdup_printf ("s%u", i);

    g_assert_cmpint (service_pid_of (f, id), ==, pids[i]);
  }
  program_kill (f->service, SIGTERM);
  for (guint i = 0; i < N_STREAMS; i++) {
    f->pid = pids[i];
    rig_wait (&f->rig, "the worker is gone", service_worker_is_gone, f);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/media/storm/hooks", ServiceRig, NULL, service_set_up_started,
      test_hooks, service_tear_down);
  g_test_add ("/media/storm/twenty", ServiceRig, NULL, service_set_up_started,
      test_twenty, service_tear_down);
  return g_test_run ();
}
