/* SPDX-License-Identifier: Apache-2.0 */
#include "link_fixture.h"
#include "wait.h"

#include <dubbing_common/clock.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

/* A test that is aborted takes its service with it. */
static void
die_with_parent (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

gboolean
link_fixture_start (LinkFixture *self, const char *const *argv)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GDataInputStream) lines = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *line = NULL;

  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  self->service = g_subprocess_launcher_spawnv (launcher, argv, &error);
  g_assert_no_error (error);
  lines =
      g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->service));
  line = g_data_input_stream_read_line (lines, NULL, NULL, &error);
  if (g_strcmp0 (line, "skip") == 0)
    return FALSE;
  g_assert_nonnull (line);
  g_assert_true (g_str_has_prefix (line, "listening on "));
  g_free (self->url);
  self->url = g_strdup (line + strlen ("listening on "));
  return TRUE;
}

void
link_fixture_stop (LinkFixture *self, int signal)
{
  g_subprocess_send_signal (self->service, signal);
  g_assert_true (g_subprocess_wait (self->service, NULL, NULL));
  g_clear_object (&self->service);
}

static void
on_state (DubStsLink *link, const DubStsLinkState *state, gpointer user_data)
{
  LinkFixture *self = user_data;

  if (state->error) {
    g_free (self->error);
    self->error = g_strdup (state->error->message);
  }
  self->state = *state;
  self->state.error = NULL;
}

static void
on_answer (DubStsLink *link, DubAnswer *answer, gpointer user_data)
{
  LinkFixture *self = user_data;

  g_ptr_array_add (self->answers, answer);
}

void
link_fixture_connect (
    LinkFixture *self, const char *api_key, gboolean force_m4a)
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

gboolean
link_fixture_init (LinkFixture *self, const char *const *argv)
{
  memset (self, 0, sizeof *self);
  self->answers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) dub_answer_unref);
  return link_fixture_start (self, argv);
}

void
link_fixture_clear (LinkFixture *self)
{
  dub_sts_link_free (self->link);
  if (self->service)
    link_fixture_stop (self, SIGTERM);
  g_ptr_array_unref (self->answers);
  g_free (self->error);
  g_free (self->url);
}

typedef gboolean (*Condition) (LinkFixture *self, guint n);

static void
wait_for (LinkFixture *self, Condition condition, guint n)
{
  WAIT_FOR (condition (self, n));
}

static gboolean
is_in_phase (LinkFixture *self, guint phase)
{
  return self->state.phase == phase;
}

static gboolean
has_answers (LinkFixture *self, guint n)
{
  return self->answers->len >= n;
}

void
link_fixture_wait_phase (LinkFixture *self, DubStsLinkPhase phase)
{
  wait_for (self, is_in_phase, phase);
}

void
link_fixture_wait_answers (LinkFixture *self, guint n)
{
  wait_for (self, has_answers, n);
}

const DubAnswer *
link_fixture_answer (LinkFixture *self, guint index)
{
  g_assert_cmpuint (index, <, self->answers->len);
  return g_ptr_array_index (self->answers, index);
}

/* samples (transfer full) */
static DubPcm *
to_pcm (gint16 *samples, gsize frames, gint64 pts_ns)
{
  return dub_pcm_new (g_bytes_new_take (samples, frames * sizeof (gint16)),
      DUB_PROGRAMME_RATE_HZ, 1, pts_ns);
}

DubPcm *
link_fixture_make_pcm (guint seed, gsize frames)
{
  gint16 *samples = g_new (gint16, frames);

  for (gsize i = 0; i < frames; i++)
    samples[i] = (gint16) ((seed * 7919 + i * 31) & 0x3fff);
  return to_pcm (samples, frames, (gint64) seed * DUB_NS_PER_S);
}

DubPcm *
link_fixture_make_tone (gsize frames)
{
  gint16 *samples = g_new (gint16, frames);

  for (gsize i = 0; i < frames; i++)
    samples[i] = (gint16) (16384 * sin (2 * G_PI * 440 * (double) i /
                                        DUB_PROGRAMME_RATE_HZ));
  return to_pcm (samples, frames, 0);
}

char *
link_fixture_send (LinkFixture *self, DubPcm *pcm)
{
  gint64 now_ns = g_get_monotonic_time () * 1000;
  DubFragment *fragment =
      dub_fragment_new (0, pcm, DUB_CUT_SILENCE, now_ns + 20 * DUB_NS_PER_S, 0);
  char *id = g_strdup (fragment->id);

  dub_sts_link_send (self->link, fragment);
  return id;
}
