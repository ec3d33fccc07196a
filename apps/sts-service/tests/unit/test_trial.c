/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pipeline.h"

#include <dubbing_common/error.h>
#include <gst/gst.h>
#include <string.h>

/* When the service says that it is ready: mock engines are up at once, so what
 * it waits for is the trial fragment. */

static DubProcessor *
pipeline (const char *translators, gint64 failure_percent)
{
  static char mock[] = "mock";
  g_autofree char *names = g_strdup (translators);
  const DubPipelineSettings settings = {
      .asr = {.provider = mock, .model = mock, .timeout_ms = 1000},
      .translation = {.provider = names, .timeout_ms = 1000},
      .tts = {.provider = mock, .voice = mock, .timeout_ms = 1000},
      .mock = {.slots = 1,
          .failure_percent = failure_percent,
          .failure = 3 /* unknown */},
      .source_language = "es",
      .target_language = "en",
  };
  g_autoptr (GError) error = NULL;
  DubProcessor *self = dub_pipeline_new (&settings, NULL, &error);

  g_assert_no_error (error);
  return self;
}

static gboolean
on_time (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Until it is ready or says what failed. (transfer full) */
static GError *
wait_for (DubProcessor *self, const char *reason)
{
  gboolean is_over = FALSE;
  guint timer = g_timeout_add_seconds (20, on_time, &is_over);
  GError *error = NULL;

  while (!self->is_ready (self, &error)) {
    if (reason != NULL && strstr (error->message, reason) != NULL)
      break;
    g_clear_error (&error);
    g_assert_false (is_over);
    g_main_context_iteration (NULL, TRUE);
  }
  g_source_remove (timer);
  return error;
}

static void
test_passes (void)
{
  DubProcessor *self = pipeline ("mock", 0);
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (self->is_ready (self, &first));
  g_assert_nonnull (strstr (first->message, "trial"));
  error = wait_for (self, NULL);
  g_assert_no_error (error);
  g_assert_true (self->is_ready (self, NULL));
  self->free (self);
}

/* No translator for the default pair is no fault: a stream is told. */
static void
test_without_translator (void)
{
  DubProcessor *self = pipeline ("identity", 0);
  g_autoptr (GError) error = wait_for (self, NULL);

  g_assert_no_error (error);
  self->free (self);
}

static void
test_fails (void)
{
  DubProcessor *self = pipeline ("mock", 100);
  g_autoptr (GError) error = wait_for (self, "failed at synthesis");

  g_assert_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE);
  self->free (self);
}

static void
test_freed_in_between (void)
{
  for (guint i = 0; i < 30; i++) {
    DubProcessor *self = pipeline ("mock", 0);
    gint64 end = g_get_monotonic_time () + i * 5 * 1000;

    while (g_get_monotonic_time () < end)
      g_main_context_iteration (NULL, FALSE);
    self->free (self);
  }
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/sts/trial/passes", test_passes);
  g_test_add_func ("/sts/trial/without-translator", test_without_translator);
  g_test_add_func ("/sts/trial/fails", test_fails);
  g_test_add_func ("/sts/trial/freed-in-between", test_freed_in_between);
  return g_test_run ();
}
