/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/orchestrator.h"

#include <glib/gstdio.h>

#define NO_WORKER "/bin/true" /* it ends at once, and is started again */

typedef struct {
  char *folder;
  DubServiceSettings settings;
  DubMetrics *metrics;
  DubOrchestrator *orchestrator;
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
  g_autofree char *runtime = NULL;
  char worker[] = "ORCH_WORKER_COMMAND=" NO_WORKER;
  char *environment[] = {NULL, worker, NULL};

  f->folder = g_dir_make_tmp ("dub-entry-XXXXXX", NULL);
  runtime = g_strconcat ("RUNTIME_DIR=", f->folder, NULL);
  environment[0] = runtime;
  g_assert_true (
      dub_service_settings_load (&f->settings, NULL, NULL, environment, NULL));
  f->metrics = dub_metrics_new ();
  f->orchestrator = dub_orchestrator_new (&f->settings, f->metrics);
  dub_orchestrator_set_look (f->orchestrator, on_look, f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  dub_orchestrator_free (f->orchestrator);
  dub_metrics_unref (f->metrics);
  dub_service_settings_clear (&f->settings);
  g_rmdir (f->folder);
  g_free (f->folder);
}

static gint64
get_restarts (Fixture *f)
{
  g_autoptr (JsonObject) stream = dub_orchestrator_get (f->orchestrator, "one");

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
  dub_orchestrator_ready (f->orchestrator, "one", "a", NULL, NULL);
  g_assert_cmpuint (f->n_looks, ==, 1);
  dub_orchestrator_looked (f->orchestrator, "one", TRUE, TRUE);
  wait_restart (f);
  wait_restart (f);
  g_assert_cmpuint (f->n_looks, ==, 1);
  dub_orchestrator_ready (f->orchestrator, "one", "b", NULL, NULL);
  wait_restart (f);
  g_assert_cmpuint (f->n_looks, ==, 2);
}

/* What was not answered is asked again. */
static void
test_no_answer (Fixture *f, gconstpointer data)
{
  dub_orchestrator_ready (f->orchestrator, "one", "a", NULL, NULL);
  dub_orchestrator_looked (f->orchestrator, "one", FALSE, FALSE);
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
