/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_link_with_service STS_SERVICE: the worker's link against the real
 * `sts-service echo`, each of them as it is in use.
 */
#include "link_fixture.h"

#include <gst/gst.h>
#include <math.h>
#include <signal.h>
#include <string.h>

static const char *sts_service;

/* argument: (nullable) one more option of the service. */
static void
init_echo (LinkFixture *self, const char *argument)
{
  g_assert_true (link_fixture_init (
      self, (const char *[]){sts_service, "echo", "--port=0", argument, NULL}));
}

/* By the environment: a key is refused on the command line. */
static void
init_echo_with_key (LinkFixture *self, const char *key)
{
  g_setenv ("STS_API_KEY", key, TRUE);
  init_echo (self, NULL);
  g_unsetenv ("STS_API_KEY");
}

/* --- tests --- */

/* PCM comes back sample for sample, fragment by fragment. */
static void
test_pcm (void)
{
  LinkFixture f;

  init_echo (&f, NULL);
  link_fixture_connect (&f, NULL, FALSE);
  link_fixture_wait_phase (&f, DUB_STS_LINK_READY);
  g_assert_cmpuint (f.state.max_inflight, ==, 3);
  for (guint i = 0; i < 30; i++) {
    /* 100 ms to 5 s. */
    gsize frames = 4800 * (1 + i * 7 % 50);
    g_autoptr (DubPcm) sent = link_fixture_make_pcm (i, frames);
    g_autofree char *id = link_fixture_send (&f, dub_pcm_ref (sent));

    link_fixture_wait_answers (&f, i + 1);
    g_assert_cmpint (
        link_fixture_answer (&f, i)->status, ==, DUB_ANSWER_SUCCESS);
    g_assert_cmpstr (link_fixture_answer (&f, i)->fragment_id, ==, id);
    g_assert_true (
        g_bytes_equal (link_fixture_answer (&f, i)->pcm->bytes, sent->bytes));
  }
  g_assert_cmpstr (link_fixture_answer (&f, 29)->transcript, ==,
      "[ECHO] Original audio (seq=29)");
  link_fixture_clear (&f);
}

/* The same over M4A and base64, as with services that take no PCM: the tone is
 * there, in its place and length. */
static void
test_m4a (void)
{
  LinkFixture f;

  init_echo (&f, NULL);
  link_fixture_connect (&f, NULL, TRUE);
  link_fixture_wait_phase (&f, DUB_STS_LINK_READY);
  for (guint i = 0; i < 3; i++) {
    g_autofree char *id =
        link_fixture_send (&f, link_fixture_make_tone (48000));
    const DubPcm *pcm;

    link_fixture_wait_answers (&f, i + 1);
    g_assert_cmpstr (link_fixture_answer (&f, i)->fragment_id, ==, id);
    g_assert_cmpint (
        link_fixture_answer (&f, i)->status, ==, DUB_ANSWER_SUCCESS);
    pcm = link_fixture_answer (&f, i)->pcm;
    g_assert_cmpuint (pcm->rate_hz, ==, DUB_PROGRAMME_RATE_HZ);
    g_assert_cmpint (ABS ((int) pcm->frames - 48000), <=, 1024);
    g_assert_cmpfloat (
        fabs (
            dub_pcm_rms_db (pcm->samples, pcm->frames * pcm->channels) + 9.03),
        <, 1.0);
  }
  link_fixture_clear (&f);
}

/* Several on their way at once come back in their order. */
static void
test_in_flight (void)
{
  LinkFixture f;
  char *ids[10];

  init_echo (&f, "--echo-processing-delay-ms=100");
  link_fixture_connect (&f, NULL, FALSE);
  link_fixture_wait_phase (&f, DUB_STS_LINK_READY);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    ids[i] = link_fixture_send (&f, link_fixture_make_pcm (i, 4800));
  link_fixture_wait_answers (&f, G_N_ELEMENTS (ids));
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++) {
    g_assert_cmpstr (link_fixture_answer (&f, i)->fragment_id, ==, ids[i]);
    g_free (ids[i]);
  }
  link_fixture_clear (&f);
}

/* The service dies with work in flight, and comes back on its port. */
static void
test_service_dies (void)
{
  LinkFixture f;
  g_autofree char *id = NULL, *again = NULL, *port = NULL;

  init_echo (&f, "--echo-processing-delay-ms=60000");
  link_fixture_connect (&f, NULL, FALSE);
  link_fixture_wait_phase (&f, DUB_STS_LINK_READY);
  id = link_fixture_send (&f, link_fixture_make_pcm (0, 4800));
  link_fixture_stop (&f, SIGKILL);
  link_fixture_wait_answers (&f, 1);
  g_assert_cmpstr (link_fixture_answer (&f, 0)->fragment_id, ==, id);
  g_assert_cmpint (link_fixture_answer (&f, 0)->status, ==, DUB_ANSWER_FAILED);
  g_assert_cmpstr (link_fixture_answer (&f, 0)->error_code, ==, "DISCONNECTED");
  link_fixture_wait_phase (&f, DUB_STS_LINK_WAITING);
  port = g_strconcat ("--port=", strrchr (f.url, ':') + 1, NULL);
  g_assert_true (link_fixture_start (
      &f, (const char *[]){sts_service, "echo", port, NULL}));
  link_fixture_wait_phase (&f, DUB_STS_LINK_READY);
  g_assert_cmpuint (f.state.reconnects, ==, 1);
  again = link_fixture_send (&f, link_fixture_make_pcm (1, 4800));
  link_fixture_wait_answers (&f, 2);
  g_assert_cmpstr (link_fixture_answer (&f, 1)->fragment_id, ==, again);
  g_assert_cmpint (link_fixture_answer (&f, 1)->status, ==, DUB_ANSWER_SUCCESS);
  g_assert_cmpstr (link_fixture_answer (&f, 1)->transcript, ==,
      "[ECHO] Original audio (seq=0)");
  link_fixture_clear (&f);
}

static void
test_key (void)
{
  LinkFixture f;

  init_echo_with_key (&f, "sesame");
  link_fixture_connect (&f, "sesame", FALSE);
  link_fixture_wait_phase (&f, DUB_STS_LINK_READY);
  link_fixture_clear (&f);
}

static void
test_wrong_key (void)
{
  LinkFixture f;
  init_echo_with_key (&f, "sesame");
  link_fixture_connect (&f, "wrong", FALSE);
  link_fixture_wait_phase (&f, DUB_STS_LINK_WAITING);
  g_assert_nonnull (strstr (f.error, "AUTH_FAILED"));
  g_assert_nonnull (strstr (f.error, strrchr (f.url, ':')));
  link_fixture_clear (&f);
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
