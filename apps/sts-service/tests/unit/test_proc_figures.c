/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/proc_figures.h"

#include <gio/gio.h>

static void
test_own (void)
{
  GTimer *timer = g_timer_new ();
  double before_s = dub_proc_cpu_s ("self");

  while (dub_proc_cpu_s ("self") < before_s + 0.05 &&
         g_timer_elapsed (timer, NULL) < 30)
    continue;
  g_assert_cmpfloat (dub_proc_cpu_s ("self"), >=, before_s + 0.05);
  g_assert_cmpfloat (dub_proc_resident_mib ("self"), >, 0.5);
  g_timer_destroy (timer);
}

static double
one (const char *pid)
{
  return 1;
}

/* A shell that waits for a child of its own: two. */
static void
test_children (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) shell = NULL;
  g_autoptr (GDataInputStream) lines = NULL;
  g_autofree char *line = NULL;

  g_assert_cmpfloat (dub_proc_sum_of_children (one), ==, 0);
  shell = g_subprocess_new (
      G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
      "/bin/sh", "-c", "exec 3<&0; cat <&3 >/dev/null & echo here; wait", NULL);
  g_assert_no_error (error);
  lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (shell));
  line = g_data_input_stream_read_line (lines, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (line, ==, "here");
  g_assert_cmpfloat (dub_proc_sum_of_children (one), ==, 2);
  g_assert_cmpfloat (dub_proc_sum_of_children (dub_proc_resident_mib), >, 0);
  g_output_stream_close (g_subprocess_get_stdin_pipe (shell), NULL, NULL);
  g_assert_true (g_subprocess_wait (shell, NULL, &error));
  g_assert_cmpfloat (dub_proc_sum_of_children (one), ==, 0);
}

static void
test_gone (void)
{
  static const char *const none[] = {"0", "4194305", "no-number", ""};

  for (guint i = 0; i < G_N_ELEMENTS (none); i++) {
    g_assert_cmpfloat (dub_proc_cpu_s (none[i]), ==, 0);
    g_assert_cmpfloat (dub_proc_resident_mib (none[i]), ==, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/pipeline/proc-figures/own", test_own);
  g_test_add_func ("/sts/pipeline/proc-figures/children", test_children);
  g_test_add_func ("/sts/pipeline/proc-figures/gone", test_gone);
  return g_test_run ();
}
