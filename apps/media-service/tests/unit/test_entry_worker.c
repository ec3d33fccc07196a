/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator_rig.h"

#define NO_WORKER "/bin/true" /* it ends at once, and is started again */

typedef struct {
  OrchestratorRig rig;
  guint n_looks;
} Fixture;

static void
on_look (const char *stream_id, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_cmpstr (stream_id, ==, "one");
  f->n_looks++;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  orchestrator_rig_init (&f->rig, NO_WORKER);
  dub_orchestrator_set_look (f->rig.orchestrator, on_look, f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  orchestrator_rig_clear (&f->rig);
}

static gint64
get_restarts (Fixture *f)
{
  g_autoptr (JsonObject) stream =
      dub_orchestrator_get (f->rig.orchestrator, "one");

  return json_object_get_int_member (stream, "restarts");
}

/* Until its worker has been started once more. */
static void
wait_restart (Fixture *f)
{
  gint64 before = get_restarts (f);

  while (get_restarts (f) == before)
    g_main_context_iteration (NULL, TRUE);
}

/* The media server is asked once for each publisher, not again for a worker in
 * the place of one that died. */
static void
test_looks_once (Fixture *f, gconstpointer data)
{
  dub_orchestrator_ready (f->rig.orchestrator, "one", "a", NULL, NULL);
  g_assert_cmpuint (f->n_looks, ==, 1);
  dub_orchestrator_looked (f->rig.orchestrator, "one", TRUE, TRUE);
  wait_restart (f);
  wait_restart (f);
  g_assert_cmpuint (f->n_looks, ==, 1);
  dub_orchestrator_ready (f->rig.orchestrator, "one", "b", NULL, NULL);
  wait_restart (f);
  g_assert_cmpuint (f->n_looks, ==, 2);
}

/* What was not answered is asked again. */
static void
test_no_answer (Fixture *f, gconstpointer data)
{
  dub_orchestrator_ready (f->rig.orchestrator, "one", "a", NULL, NULL);
  dub_orchestrator_looked (f->rig.orchestrator, "one", FALSE, FALSE);
  wait_restart (f);
  wait_restart (f);
  g_assert_cmpuint (f->n_looks, >=, 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/media/entry-worker/looks-once", Fixture, NULL, set_up,
      test_looks_once, tear_down);
  g_test_add ("/media/entry-worker/no-answer", Fixture, NULL, set_up,
      test_no_answer, tear_down);
  return g_test_run ();
}
