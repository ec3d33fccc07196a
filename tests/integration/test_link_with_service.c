/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_link_with_service STS_SERVICE: the worker's link against the real
 * `sts-service echo`, each of them as it is in use. Waits are for a state,
 * with a watchdog.
 */
#include <dubbing_common/clock.h>
#include <gio/gio.h>
#include <gst/gst.h>
#include <math.h>
#include <string.h>
#include <sys/prctl.h>

#include "sts/sts_link.h"

#define WATCHDOG_MS 30000

static const char *sts_service;

typedef struct {
  GSubprocess *service;
  char *url;
  DubStsLink *link;
  DubStsLinkState state;
  GPtrArray *answers; /* of DubAnswer */
  gboolean is_late;
} Fixture;

/* --- the service --- */

/* A test that is aborted takes its service with it. */
static void
die_with_parent (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

/* arguments: NULL-terminated, after "echo". */
static void
start_service (Fixture *self, const char *const *arguments)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GStrvBuilder) argv = g_strv_builder_new ();
  g_autoptr (GDataInputStream) lines = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *line = NULL;
  g_auto (GStrv) words = NULL;

  g_strv_builder_add_many (argv, sts_service, "echo", NULL);
  g_strv_builder_addv (argv, (const char **) arguments);
  words = g_strv_builder_end (argv);
  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  self->service = g_subprocess_launcher_spawnv (
      launcher, (const char *const *) words, &error);
  g_assert_no_error (error);
  lines =
      g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->service));
  line = g_data_input_stream_read_line (lines, NULL, NULL, &error);
  g_assert_nonnull (line);
  g_assert_true (g_str_has_prefix (line, "listening on "));
  g_free (self->url);
  self->url = g_strdup (line + strlen ("listening on "));
}

static void
stop_service (Fixture *self, int signal)
{
  g_subprocess_send_signal (self->service, signal);
  g_assert_true (g_subprocess_wait (self->service, NULL, NULL));
  g_clear_object (&self->service);
}

/* --- the link --- */

static void
on_state (DubStsLink *link, const DubStsLinkState *state, gpointer user_data)
{
  Fixture *self = user_data;

  self->state = *state;
}

static void
on_answer (DubStsLink *link, DubAnswer *answer, gpointer user_data)
{
  Fixture *self = user_data;

  g_ptr_array_add (self->answers, answer);
}

static void
link_up (Fixture *self, const char *api_key, gboolean force_m4a)
{
  static const DubStsLinkHandlers handlers = {on_state, on_answer};
  DubStsLinkSettings settings;
  g_autoptr (GError) error = NULL;

  dub_sts_link_settings_init (&settings);
  settings.url = self->url;
  settings.stream_id = "s1";
  settings.api_key = api_key;
  settings.force_m4a = force_m4a;
  self->link = dub_sts_link_new (&settings, &handlers, self, &error);
  g_assert_no_error (error);
}

static void
fixture_init (Fixture *self, const char *argument)
{
  const char *const arguments[] = {"--port=0", argument, NULL};

  memset (self, 0, sizeof *self);
  self->answers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_answer_unref);
  start_service (self, arguments);
}

static void
fixture_clear (Fixture *self)
{
  dub_sts_link_free (self->link);
  if (self->service)
    stop_service (self, SIGTERM);
  g_ptr_array_unref (self->answers);
  g_free (self->url);
}

static gboolean
on_watchdog (gpointer user_data)
{
  ((Fixture *) user_data)->is_late = TRUE;
  return G_SOURCE_REMOVE;
}

typedef gboolean (*Condition) (Fixture *self, guint n);

static void
wait_for (Fixture *self, Condition condition, guint n)
{
  guint watchdog = g_timeout_add (WATCHDOG_MS, on_watchdog, self);

  self->is_late = FALSE;
  while (!condition (self, n) && !self->is_late)
    g_main_context_iteration (NULL, TRUE);
  if (self->is_late)
    g_error ("the state did not come within %u ms", WATCHDOG_MS);
  g_source_remove (watchdog);
}

static gboolean
is_in_phase (Fixture *self, guint phase)
{
  return self->state.phase == phase;
}

static gboolean
has_answers (Fixture *self, guint n)
{
  return self->answers->len >= n;
}

static const DubAnswer *
answer (Fixture *self, guint index)
{
  return g_ptr_array_index (self->answers, index);
}

/* A tone whose every sample tells its place. (transfer full) */
static DubPcm *
make_pcm (guint seed, gsize frames)
{
  gint16 *samples = g_new (gint16, frames);

  for (gsize i = 0; i < frames; i++)
    samples[i] = (gint16) ((seed * 7919 + i * 31) & 0x3fff);
  return dub_pcm_new (g_bytes_new_take (samples, frames * sizeof (gint16)),
      DUB_PROGRAMME_RATE_HZ, 1, (gint64) seed * DUB_NS_PER_S);
}

/* 440 Hz at half of full scale: -9.03 dB. (transfer full) */
static DubPcm *
make_tone (gsize frames)
{
  gint16 *samples = g_new (gint16, frames);

  for (gsize i = 0; i < frames; i++)
    samples[i] = (gint16) (16384 * sin (2 * G_PI * 440 * (double) i /
                                        DUB_PROGRAMME_RATE_HZ));
  return dub_pcm_new (g_bytes_new_take (samples, frames * sizeof (gint16)),
      DUB_PROGRAMME_RATE_HZ, 1, 0);
}

/* pcm (transfer full). The id; (transfer full). */
static char *
send_pcm (Fixture *self, guint number, DubPcm *pcm)
{
  gint64 now_ns = g_get_monotonic_time () * 1000;
  DubFragment *fragment = dub_fragment_new (
      number, pcm, DUB_CUT_SILENCE, now_ns + 20 * DUB_NS_PER_S, 0);
  char *id = g_strdup (fragment->id);

  dub_sts_link_send (self->link, fragment);
  return id;
}

/* --- tests --- */

/* PCM comes back sample for sample, fragment by fragment. */
static void
test_pcm (void)
{
  Fixture f;

  fixture_init (&f, NULL);
  link_up (&f, NULL, FALSE);
  wait_for (&f, is_in_phase, DUB_STS_LINK_READY);
  g_assert_cmpuint (f.state.max_inflight, ==, 3);
  for (guint i = 0; i < 30; i++) {
    /* 100 ms to 5 s. */
    gsize frames = 4800 * (1 + i * 7 % 50);
    g_autoptr (DubPcm) sent = make_pcm (i, frames);
    g_autofree char *id = send_pcm (&f, i, dub_pcm_ref (sent));

    wait_for (&f, has_answers, i + 1);
    g_assert_cmpint (answer (&f, i)->status, ==, DUB_ANSWER_SUCCESS);
    g_assert_cmpstr (answer (&f, i)->fragment_id, ==, id);
    g_assert_true (g_bytes_equal (answer (&f, i)->pcm->bytes, sent->bytes));
  }
  g_assert_cmpstr (
      answer (&f, 29)->transcript, ==, "[ECHO] Original audio (seq=29)");
  fixture_clear (&f);
}

/* The same over M4A and base64, as with services that take no PCM: the tone is
 * there, in its place and length. */
static void
test_m4a (void)
{
  Fixture f;

  fixture_init (&f, NULL);
  link_up (&f, NULL, TRUE);
  wait_for (&f, is_in_phase, DUB_STS_LINK_READY);
  for (guint i = 0; i < 3; i++) {
    g_autofree char *id = send_pcm (&f, i, make_tone (48000));
    const DubPcm *pcm;

    wait_for (&f, has_answers, i + 1);
    g_assert_cmpint (answer (&f, i)->status, ==, DUB_ANSWER_SUCCESS);
    pcm = answer (&f, i)->pcm;
    g_assert_cmpuint (pcm->rate_hz, ==, DUB_PROGRAMME_RATE_HZ);
    g_assert_cmpint (ABS ((int) pcm->frames - 48000), <=, 1024);
    g_assert_cmpfloat (
        fabs (
            dub_pcm_rms_db (pcm->samples, pcm->frames * pcm->channels) + 9.03),
        <, 1.0);
  }
  fixture_clear (&f);
}

/* Several on their way at once come back in their order. */
static void
test_in_flight (void)
{
  Fixture f;
  char *ids[10];

  fixture_init (&f, "--echo-processing-delay-ms=100");
  link_up (&f, NULL, FALSE);
  wait_for (&f, is_in_phase, DUB_STS_LINK_READY);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    ids[i] = send_pcm (&f, i, make_pcm (i, 4800));
  wait_for (&f, has_answers, G_N_ELEMENTS (ids));
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    g_assert_cmpstr (answer (&f, i)->fragment_id, ==, ids[i]);
    g_free (ids[i]);
  }
  fixture_clear (&f);
}

/* The service dies with work in flight, and comes back on its port. */
static void
test_service_dies (void)
{
  Fixture f;
  g_autofree char *id = NULL, *again = NULL, *port = NULL;
  const char *arguments[2] = {NULL, NULL};

  fixture_init (&f, "--echo-processing-delay-ms=60000");
  link_up (&f, NULL, FALSE);
  wait_for (&f, is_in_phase, DUB_STS_LINK_READY);
  id = send_pcm (&f, 0, make_pcm (0, 4800));
  stop_service (&f, SIGKILL);
  wait_for (&f, has_answers, 1);
  g_assert_cmpint (answer (&f, 0)->status, ==, DUB_ANSWER_FAILED);
  g_assert_cmpstr (answer (&f, 0)->error_code, ==, "DISCONNECTED");
  wait_for (&f, is_in_phase, DUB_STS_LINK_WAITING);
  port = g_strconcat ("--port=", strrchr (f.url, ':') + 1, NULL);
  arguments[0] = port;
  start_service (&f, arguments);
  wait_for (&f, is_in_phase, DUB_STS_LINK_READY);
  g_assert_cmpuint (f.state.reconnects, ==, 1);
  again = send_pcm (&f, 1, make_pcm (1, 4800));
  wait_for (&f, has_answers, 2);
  g_assert_cmpint (answer (&f, 1)->status, ==, DUB_ANSWER_SUCCESS);
  g_assert_cmpstr (
      answer (&f, 1)->transcript, ==, "[ECHO] Original audio (seq=0)");
  fixture_clear (&f);
}

static void
test_key (void)
{
  Fixture f;

  fixture_init (&f, "--api-key=sesame");
  link_up (&f, "sesame", FALSE);
  wait_for (&f, is_in_phase, DUB_STS_LINK_READY);
  fixture_clear (&f);
}

static void
test_wrong_key (void)
{
  Fixture f;
  DubStsLinkState state;

  fixture_init (&f, "--api-key=sesame");
  link_up (&f, "wrong", FALSE);
  wait_for (&f, is_in_phase, DUB_STS_LINK_WAITING);
  dub_sts_link_get_state (f.link, &state);
  g_assert_nonnull (strstr (state.error->message, "AUTH_FAILED"));
  g_assert_nonnull (strstr (state.error->message, strrchr (f.url, ':')));
  fixture_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_assert_cmpint (argc, ==, 2);
  sts_service = argv[1];
  g_test_add_func ("/link/service/pcm", test_pcm);
  g_test_add_func ("/link/service/m4a", test_m4a);
  g_test_add_func ("/link/service/in-flight", test_in_flight);
  g_test_add_func ("/link/service/dies", test_service_dies);
  g_test_add_func ("/link/service/key", test_key);
  g_test_add_func ("/link/service/wrong-key", test_wrong_key);
  return g_test_run ();
}
