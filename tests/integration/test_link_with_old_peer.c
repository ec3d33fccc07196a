/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_link_with_old_peer NODE OLD_PEER: the worker's link against a service
 * of the older kind on the public Socket.IO server; see old_peer.mjs for what
 * it does to each fragment.
 */
#include "link_fixture.h"

#include <gst/gst.h>

static const char *const *peer;

/* What becomes of fragment number i of the connection. */
static const struct {
  DubAnswerStatus status;
  const char *code;
  gboolean is_retryable;
} wanted[] = {
    {DUB_ANSWER_SUCCESS, NULL, FALSE},
    {DUB_ANSWER_PARTIAL, NULL, FALSE},
    {DUB_ANSWER_FAILED, "BACKPRESSURE_EXCEEDED", TRUE},
    {DUB_ANSWER_FAILED, "ASR_FAILED", TRUE},
    {DUB_ANSWER_FAILED, "INVALID_AUDIO_FORMAT", FALSE},
    {DUB_ANSWER_FAILED, "DISCONNECTED", TRUE},
};

static void
check_answer (LinkFixture *f, guint i, const char *id)
{
  const DubAnswer *answer;

  link_fixture_wait_answers (f, i + 1);
  answer = link_fixture_answer (f, i);
  g_assert_cmpstr (answer->fragment_id, ==, id);
  g_assert_cmpint (answer->status, ==, wanted[i].status);
  g_assert_cmpstr (answer->error_code, ==, wanted[i].code);
  g_assert_cmpint (answer->is_retryable, ==, wanted[i].is_retryable);
  g_assert_cmpint (answer->pcm != NULL, ==, wanted[i].code == NULL);
  if (answer->pcm)
    g_assert_cmpint (ABS ((int) answer->pcm->frames - 48000), <=, 1024);
}

/* One after the other; the pause that nobody lifts ends by itself; after the
 * server's own disconnect the link comes back and starts at 0. */
static void
test_old_peer (void)
{
  LinkFixture f;
  g_autofree char *again = NULL;

  if (!link_fixture_init (&f, peer)) {
    g_test_skip ("socket.io is not installed");
    link_fixture_clear (&f);
    return;
  }
  link_fixture_connect (&f, NULL, FALSE);
  link_fixture_wait_phase (&f, DUB_STS_LINK_READY);
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++) {
    g_autofree char *id =
        link_fixture_send (&f, link_fixture_make_tone (48000));

    check_answer (&f, i, id);
    g_assert_false (f.state.is_paused);
  }
  link_fixture_wait_phase (&f, DUB_STS_LINK_WAITING);
  link_fixture_wait_phase (&f, DUB_STS_LINK_READY);
  again = link_fixture_send (&f, link_fixture_make_tone (48000));
  link_fixture_wait_answers (&f, G_N_ELEMENTS (wanted) + 1);
  g_assert_cmpstr (
      link_fixture_answer (&f, G_N_ELEMENTS (wanted))->fragment_id, ==, again);
  g_assert_cmpint (link_fixture_answer (&f, G_N_ELEMENTS (wanted))->status, ==,
      DUB_ANSWER_SUCCESS);
  link_fixture_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_assert_cmpint (argc, ==, 3);
  peer = (const char *const *) argv + 1;
  g_test_add_func ("/link/old-peer", test_old_peer);
  return g_test_run ();
}
