/* SPDX-License-Identifier: Apache-2.0 */
#include "control/peer.h"
#include "worker/reporter.h"

#include <dubbing_common/log.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
  char *folder;
  DubControl *control;
  DubControlPeer *client;
  DubReporter *reporter;
  char *event, *transcript, *error; /* of the last event */
} Fixture;

static void
on_message (DubControlPeer *peer, JsonObject *message, gpointer user_data)
{
  Fixture *f = user_data;
  JsonObject *fields;

  if (!json_object_has_member (message, "event"))
    return;
  fields = json_object_get_object_member (message, "fields");
  g_free (f->event);
  g_free (f->transcript);
  g_free (f->error);
  f->event = g_strdup (json_object_get_string_member (message, "event"));
  f->transcript = g_strdup (
      json_object_get_string_member_with_default (fields, "transcript", NULL));
  f->error = g_strdup (json_object_get_string_member_with_default (
      fields, "error_message", NULL));
}

static void
on_closed (DubControlPeer *peer, gpointer user_data)
{
}

static const DubControlHandlers handlers = {0};
static const DubControlPeerFuncs client_funcs = {
    .message = on_message, .closed = on_closed};

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *path = NULL;

  f->folder = g_dir_make_tmp ("dub-reporter-XXXXXX", NULL);
  path = g_build_filename (f->folder, "demo.sock", NULL);
  f->control =
      dub_control_new (f->folder, "demo", "run-1", &handlers, NULL, NULL);
  f->client = dub_control_peer_new (dub_control_connect (path, NULL),
      DUB_CONTROL_MAX_REPORT_BYTES, &client_funcs, f);
  f->reporter = dub_reporter_new (f->control, NULL);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  dub_reporter_free (f->reporter);
  dub_control_peer_free (f->client);
  dub_control_free (f->control);
  g_rmdir (f->folder);
  g_free (f->folder);
  g_free (f->event);
  g_free (f->transcript);
  g_free (f->error);
}

/* A second of silence, said as text. */
static DubAnswer *
answer_new (const char *id, const char *text)
{
  DubAnswer *answer = dub_answer_new (id, DUB_ANSWER_SUCCESS);

  answer->pcm =
      dub_pcm_new (g_bytes_new_take (g_malloc0 (96000), 96000), 48000, 1, 0);
  answer->transcript = g_strdup (text);
  return answer;
}

static void
tell (Fixture *f, DubProgrammeEventType type, const char *id,
    const char *detail, const char *name)
{
  dub_reporter_event (f->reporter,
      &(DubProgrammeEvent){
          .type = type, .fragment_id = (char *) id, .detail = detail});
  g_clear_pointer (&f->event, g_free);
  while (f->event == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (f->event, ==, name);
}

static void
test_texts (Fixture *f, gconstpointer data)
{
  g_autoptr (DubAnswer) answer = answer_new ("a", "hello");

  dub_reporter_answer (f->reporter, answer);
  tell (f, DUB_EVENT_DUB_STARTED, "a", NULL, "dub_started");
  g_assert_cmpstr (f->transcript, ==, "hello");
  tell (f, DUB_EVENT_DUB_HEARD, "a", NULL, "dub_heard");
  g_assert_cmpstr (f->transcript, ==, "hello");
  tell (f, DUB_EVENT_DUB_HEARD, "a", NULL, "dub_heard");
  g_assert_null (f->transcript);
}

/* Half a megabyte each, and those that come too late are never heard. */
static void
test_keeps_no_sound (Fixture *f, gconstpointer data)
{
  g_autoptr (DubAnswer) answer = answer_new ("a", "hello");

  dub_reporter_answer (f->reporter, answer);
  g_assert_true (g_atomic_ref_count_compare (&answer->ref_count, 1));
  g_assert_true (g_atomic_ref_count_compare (&answer->pcm->ref_count, 1));
}

static void
test_forgets_late (Fixture *f, gconstpointer data)
{
  g_autoptr (DubAnswer) answer = answer_new ("a", "hello");

  dub_reporter_answer (f->reporter, answer);
  tell (f, DUB_EVENT_ANSWER_IGNORED, "a", "late", "answer_ignored");
  tell (f, DUB_EVENT_ANSWER_IGNORED, "a", "late", "answer_ignored");
  g_assert_null (f->transcript);
}

static void
test_first_of_two_counts (Fixture *f, gconstpointer data)
{
  g_autoptr (DubAnswer) first = answer_new ("a", "first");
  g_autoptr (DubAnswer) second = answer_new ("a", "second");

  dub_reporter_answer (f->reporter, first);
  dub_reporter_answer (f->reporter, second);
  tell (f, DUB_EVENT_ANSWER_IGNORED, "a", "duplicate", "answer_ignored");
  tell (f, DUB_EVENT_DUB_HEARD, "a", NULL, "dub_heard");
  g_assert_cmpstr (f->transcript, ==, "first");
}

/* Why the original stays, in the service's words, but not all of them. */
static void
test_tells_why (Fixture *f, gconstpointer data)
{
  g_autoptr (DubAnswer) answer = dub_answer_new ("a", DUB_ANSWER_FAILED);
  g_autoptr (DubAnswer) chatty = dub_answer_new ("b", DUB_ANSWER_FAILED);

  answer->error_code = g_strdup ("NO_SPEECH");
  answer->error_message = g_strdup ("no speech to dub: repetition");
  dub_reporter_answer (f->reporter, answer);
  tell (f, DUB_EVENT_FALLBACK, "a", "failed", "fallback");
  g_assert_cmpstr (f->error, ==, "no speech to dub: repetition");
  chatty->error_message = g_strnfill (5000, 'x');
  dub_reporter_answer (f->reporter, chatty);
  tell (f, DUB_EVENT_FALLBACK, "b", "failed", "fallback");
  g_assert_cmpuint (strlen (f->error), ==, 200);
}

static void
on_line (DubLogLevel level, const char *line, gpointer user_data)
{
  g_string_append_printf (user_data, "%s\n", line);
}

static void
test_log_tells_why (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *code, *words, *level, *line;
  } cases[] = {
      {"NO_SPEECH", "no speech to dub: low_confidence", "debug",
          "fallback at 0.000 s: NO_SPEECH (low_confidence)"},
      {"TTS_SYNTHESIS_FAILED", "\"what was said\" is no text", "warning",
          "fallback at 0.000 s: failed, TTS_SYNTHESIS_FAILED"},
      {NULL, NULL, "warning", "fallback at 0.000 s: failed"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (DubAnswer) answer = dub_answer_new ("a", DUB_ANSWER_FAILED);
    g_autoptr (GString) lines = g_string_new (NULL);
    g_autofree char *line = g_strdup_printf ("\"%s\"", cases[i].line);
    g_autofree char *level = g_strdup_printf ("\"%s\"", cases[i].level);

    answer->error_code = g_strdup (cases[i].code);
    answer->error_message = g_strdup (cases[i].words);
    dub_reporter_answer (f->reporter, answer);
    dub_log_set_sink (on_line, lines);
    tell (f, DUB_EVENT_FALLBACK, "a", "failed", "fallback");
    dub_log_set_sink (NULL, NULL);
    g_test_message ("%s", lines->str);
    g_assert_nonnull (strstr (lines->str, line));
    g_assert_nonnull (strstr (lines->str, level));
    g_assert_null (strstr (lines->str, "what was said"));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  dub_log_init ("test", DUB_LOG_DEBUG, DUB_LOG_JSON);
#define ADD(path, func)                                                        \
  g_test_add ("/media/reporter/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("texts", test_texts);
  ADD ("keeps-no-sound", test_keeps_no_sound);
  ADD ("forgets-late", test_forgets_late);
  ADD ("tells-why", test_tells_why);
  ADD ("log-tells-why", test_log_tells_why);
  ADD ("first-of-two-counts", test_first_of_two_counts);
  return g_test_run ();
}
