/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/egress.h"

#include <dubbing_common/error.h>
#include <string.h>

#define ONE "[{\"name\":\"a\",\"url\":\"rtmp://h/app/k3y-of-a\"}]"

/* -- in the place of publish --------------------------------------------- */

/* What it was last asked for. */
static struct {
  DubPublisherStateFunc on_state;
  gpointer user_data;
  gboolean is_refusing;
  guint n_removed;
} fake;

DubOutput *
dub_publish_add (DubPublish *self, const DubOutputOptions *options,
    DubPublisherStateFunc on_state, gpointer user_data, GError **error)
{
  if (fake.is_refusing) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND, "nothing takes %s",
        options->url);
    return NULL;
  }
  fake.on_state = on_state;
  fake.user_data = user_data;
  return (DubOutput *) &fake;
}

void
dub_publish_remove (DubPublish *self, DubOutput *output)
{
  fake.n_removed++;
}

void
dub_output_get_stats (DubOutput *self, DubPublisherStats *ret_stats)
{
  *ret_stats = (DubPublisherStats){.n_connections = 1};
}

gboolean
dub_output_check_url (const char *url, GError **error)
{
  return TRUE;
}

/* -- rig ----------------------------------------------------------------- */

static DubPublish *
find (const char *language, gpointer user_data)
{
  return user_data;
}

static void
on_ended (gpointer user_data)
{
}

typedef struct {
  DubEgress *egress;
} Fixture;

static void
set_up (Fixture *f, gconstpointer is_refusing)
{
  static const DubEgressHandlers handlers = {find, on_ended};
  g_autoptr (GError) error = NULL;

  memset (&fake, 0, sizeof fake);
  fake.is_refusing = is_refusing != NULL;
  f->egress = dub_egress_new ("s", &handlers, &fake);
  dub_egress_set (f->egress, ONE, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  dub_egress_free (f->egress);
}

/* message NULL: no failure. */
static void
tell (DubPublisherState state, GQuark domain, int code, const char *message)
{
  g_autoptr (GError) error =
      message ? g_error_new_literal (domain, code, message) : NULL;

  fake.on_state (state, error, fake.user_data);
}

/* Of the only destination; "" where it is left out. (transfer full) */
static char *
text_of (Fixture *f, const char *member)
{
  g_autoptr (JsonArray) list = dub_egress_describe (f->egress);
  JsonObject *object = json_array_get_object_element (list, 0);

  return g_strdup (
      json_object_get_string_member_with_default (object, member, ""));
}

/* {error_kind="kind"} value */
static gboolean
has_metric (Fixture *f, const char *name, const char *kind, int value)
{
  g_autofree char *text = dub_egress_metrics_to_text (f->egress);
  g_autofree char *line =
      g_strdup_printf ("egress_forwarder_%s{stream_id=\"s\",destination=\"a\","
                       "error_kind=\"%s\"} %d\n",
          name, kind, value);

  return strstr (text, line) != NULL;
}

/* -- tests --------------------------------------------------------------- */

static void
test_none_at_first (Fixture *f, gconstpointer data)
{
  g_autofree char *error = text_of (f, "last_error");
  g_autofree char *text = dub_egress_metrics_to_text (f->egress);

  g_assert_cmpstr (error, ==, "");
  g_assert_null (strstr (text, "egress_forwarder_last_error{"));
}

static void
test_failure_is_told (Fixture *f, gconstpointer data)
{
  g_autofree char *error = NULL;
  g_autofree char *state = NULL;

  tell (DUB_PUBLISHER_WAITING, DUB_ERROR, DUB_ERROR_AUTH, "not let in");
  error = text_of (f, "last_error");
  state = text_of (f, "state");
  g_assert_cmpstr (error, ==, "not let in");
  g_assert_cmpstr (state, ==, "waiting");
  g_assert_true (has_metric (f, "last_error", "auth", 1));
  g_assert_true (has_metric (f, "retry_total", "auth", 1));
}

/* The newest takes the place of the one before, in text and metric. */
static void
test_newer_replaces_older (Fixture *f, gconstpointer data)
{
  g_autofree char *error = NULL;

  tell (DUB_PUBLISHER_WAITING, DUB_ERROR, DUB_ERROR_AUTH, "not let in");
  tell (DUB_PUBLISHER_WAITING, G_IO_ERROR, G_IO_ERROR_FAILED, "gone");
  error = text_of (f, "last_error");
  g_assert_cmpstr (error, ==, "gone");
  g_assert_true (has_metric (f, "last_error", "auth", 0));
  g_assert_true (has_metric (f, "last_error", "other", 1));
  g_assert_true (has_metric (f, "retry_total", "auth", 1));
}

/* It is the last one, not the present one. */
static void
test_stays_while_it_runs (Fixture *f, gconstpointer data)
{
  g_autofree char *error = NULL;
  g_autofree char *state = NULL;

  tell (DUB_PUBLISHER_WAITING, DUB_ERROR, DUB_ERROR_AUTH, "not let in");
  tell (DUB_PUBLISHER_RUNNING, 0, 0, NULL);
  error = text_of (f, "last_error");
  state = text_of (f, "state");
  g_assert_cmpstr (state, ==, "running");
  g_assert_cmpstr (error, ==, "not let in");
  g_assert_true (has_metric (f, "last_error", "auth", 1));
  g_assert_true (has_metric (f, "retry_total", "auth", 1));
}

/* And one that comes again begins anew. */
static void
test_goes_with_its_destination (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autofree char *error = NULL;

  tell (DUB_PUBLISHER_WAITING, DUB_ERROR, DUB_ERROR_AUTH, "not let in");
  g_assert_true (dub_egress_set (f->egress, "[]", NULL));
  text = dub_egress_metrics_to_text (f->egress);
  g_assert_null (strstr (text, "destination=\"a\""));
  g_assert_cmpuint (fake.n_removed, ==, 1);
  g_assert_true (dub_egress_set (f->egress, ONE, NULL));
  error = text_of (f, "last_error");
  g_assert_cmpstr (error, ==, "");
}

/* Part of a message is what a server says. */
static void
test_is_bounded (Fixture *f, gconstpointer data)
{
  g_autofree char *long_text = g_strnfill (100000, 'x');
  g_autofree char *wide = NULL;
  g_autofree char *error = NULL;
  GString *many = g_string_new (NULL);

  tell (DUB_PUBLISHER_WAITING, DUB_ERROR, DUB_ERROR_PROTOCOL, long_text);
  error = text_of (f, "last_error");
  g_assert_cmpuint (strlen (error), ==, DUB_EGRESS_MAX_ERROR);
  g_assert_true (g_str_has_suffix (error, "x…"));

  /* Never in the middle of a character; what is none is not told. */
  for (guint i = 0; i < 1000; i++)
    g_string_append (many, "ñ");
  wide = g_string_free (many, FALSE);
  tell (DUB_PUBLISHER_WAITING, DUB_ERROR, DUB_ERROR_PROTOCOL, wide);
  g_free (error);
  error = text_of (f, "last_error");
  g_assert_true (g_utf8_validate (error, -1, NULL));
  g_assert_cmpuint (strlen (error), <=, DUB_EGRESS_MAX_ERROR);
  tell (DUB_PUBLISHER_WAITING, DUB_ERROR, DUB_ERROR_PROTOCOL, "bad \xff end");
  g_free (error);
  error = text_of (f, "last_error");
  g_assert_cmpstr (error, ==, "bad \xef\xbf\xbd end");
}

/* Who makes the message hides the key; here once more. */
static void
test_key_is_hidden (Fixture *f, gconstpointer data)
{
  g_autofree char *error = NULL;
  g_autofree char *url = text_of (f, "url");

  tell (DUB_PUBLISHER_WAITING, DUB_ERROR, DUB_ERROR_UNAVAILABLE,
      "rtmp://h/app/k3y-of-a: stream k3y-of-a is taken");
  error = text_of (f, "last_error");
  g_assert_cmpstr (error, ==, "rtmp://h/app/***: stream *** is taken");
  g_assert_cmpstr (url, ==, "rtmp://h/app/***");
}

/* One that cannot be opened says so, and is not counted as a try. */
static void
test_cannot_be_used (Fixture *f, gconstpointer data)
{
  g_autofree char *error = text_of (f, "last_error");
  g_autofree char *state = text_of (f, "state");

  g_assert_cmpstr (state, ==, "stopped");
  g_assert_cmpstr (error, ==, "nothing takes rtmp://h/app/***");
  g_assert_true (has_metric (f, "last_error", "not_found", 1));
  g_assert_false (has_metric (f, "retry_total", "not_found", 1));
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test) (Fixture *f, gconstpointer data);
    gboolean is_refusing;
  } tests[] = {
      {"none-at-first", test_none_at_first},
      {"failure-is-told", test_failure_is_told},
      {"newer-replaces-older", test_newer_replaces_older},
      {"stays-while-it-runs", test_stays_while_it_runs},
      {"goes-with-its-destination", test_goes_with_its_destination},
      {"is-bounded", test_is_bounded},
      {"key-is-hidden", test_key_is_hidden},
      {"cannot-be-used", test_cannot_be_used, TRUE},
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++) {
    g_autofree char *path =
        g_strdup_printf ("/media/worker/egress/last-error/%s", tests[i].path);

    g_test_add (path, Fixture, GINT_TO_POINTER (tests[i].is_refusing), set_up,
        tests[i].test, tear_down);
  }
  return g_test_run ();
}
