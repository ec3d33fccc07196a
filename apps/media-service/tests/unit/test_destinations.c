/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/destinations.h"

#include <dubbing_common/error.h>
#include <media_service/retry.h>
#include <string.h>

static void
test_parse (void)
{
  g_autoptr (GPtrArray) list = dub_destinations_parse (
      "[{\"name\":\"twitch\",\"url\":\"rtmp://h/app/k3y\"},"
      "{\"language\":\"es\",\"name\":\"b_2\",\"url\":\"RTMPS://h/app/k4y\"}]",
      NULL);
  const DubDestination *a, *b;

  g_assert_nonnull (list);
  g_assert_cmpuint (list->len, ==, 2);
  a = g_ptr_array_index (list, 0);
  b = g_ptr_array_index (list, 1);
  g_assert_cmpstr (a->name, ==, "twitch");
  g_assert_cmpstr (a->url, ==, "rtmp://h/app/k3y");
  g_assert_null (a->language);
  g_assert_cmpstr (b->language, ==, "es");
  g_assert_true (dub_destination_equal (a, a));
  g_assert_false (dub_destination_equal (a, b));
}

static void
test_none (void)
{
  g_autoptr (GPtrArray) unset = dub_destinations_parse (NULL, NULL);
  g_autoptr (GPtrArray) empty = dub_destinations_parse ("", NULL);
  g_autoptr (GPtrArray) array = dub_destinations_parse ("[]", NULL);

  g_assert_cmpuint (unset->len + empty->len + array->len, ==, 0);
}

typedef struct {
  const char *json;
  int code;
  const char *says;
} Bad;

/* What is wrong is named, and no key is in any message. */
static void
test_refused (void)
{
  static const Bad cases[] = {
      {"[{\"name\":\"a\",\"url\":\"rtmp://h/x/s3cr3t\"", DUB_ERROR_INVALID,
          "no JSON array"},
      {"{}", DUB_ERROR_INVALID, "no JSON array"},
      {"[1]", DUB_ERROR_INVALID, "destination 1: it is no object"},
      {"[{\"name\":\"a\"}]", DUB_ERROR_INVALID, "it has no url"},
      {"[{\"url\":\"rtmp://h/x/s3cr3t\"}]", DUB_ERROR_INVALID,
          "destination 1: a name of"},
      {"[{\"name\":\"a b\",\"url\":\"rtmp://h/x/s3cr3t\"}]", DUB_ERROR_INVALID,
          "a name of"},
      {"[{\"name\":\"123456789012345678901234567890123\",\"url\":"
       "\"rtmp://h/x/s3cr3t\"}]",
          DUB_ERROR_INVALID, "a name of"},
      {"[{\"name\":\"a\",\"url\":\"http://h/x/?k=s3cr3t\"}]",
          DUB_ERROR_UNSUPPORTED, "a: the output URL http://h/x/?k=***"},
      {"[{\"name\":\"a\",\"url\":\"file:///x\"}]", DUB_ERROR_UNSUPPORTED,
          "must start with"},
      {"[{\"name\":\"a\",\"url\":\"rtmp://h/x/s3cr3t\",\"key\":\"s3cr3t\"}]",
          DUB_ERROR_INVALID, "name, url and language"},
      {"[{\"name\":\"a\",\"url\":\"rtmp://h/x/s3cr3t\",\"language\":\"e/\"}]",
          DUB_ERROR_INVALID, "its language"},
      {"[{\"name\":7,\"url\":\"rtmp://h/x/s3cr3t\"}]", DUB_ERROR_INVALID,
          "no string"},
      {"[{\"name\":\"a\",\"url\":\"rtmp://h/x/s3cr3t\"},"
       "{\"name\":\"a\",\"url\":\"rtmp://h/y/s3cr3t\"}]",
          DUB_ERROR_INVALID, "the same name"},
      {"[{\"name\":\"a\",\"url\":\"rtmp://h/x/s3cr3t\"},"
       "{\"name\":\"b\",\"url\":\"rtmp://h/x/s3cr3t\"}]",
          DUB_ERROR_INVALID, "a and b have the same url"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (dub_destinations_parse (cases[i].json, &error));
    g_test_message ("%s", error->message);
    g_assert_error (error, DUB_ERROR, cases[i].code);
    g_assert_nonnull (strstr (error->message, cases[i].says));
    g_assert_null (strstr (error->message, "s3cr3t"));
  }
}

static void
test_limits (void)
{
  g_autoptr (GString) many = g_string_new ("[");
  g_autofree char *path = g_strnfill (DUB_DESTINATION_MAX_URL, 'x');
  g_autofree char *large = g_strnfill (DUB_DESTINATIONS_MAX_BYTES + 1, ' ');
  g_autofree char *long_url =
      g_strdup_printf ("[{\"name\":\"a\",\"url\":\"rtmp://h/%s\"}]", path);
  const char *texts[] = {NULL, long_url, large};

  for (guint i = 0; i <= DUB_DESTINATIONS_MAX; i++)
    g_string_append_printf (many,
        "%s{\"name\":\"n%u\",\"url\":\"rtmp://h/a/%u\"}", i ? "," : "", i, i);
  g_string_append_c (many, ']');
  texts[0] = many->str;
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (dub_destinations_parse (texts[i], &error));
    g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
  }
}

/* 1 to 30 s, never out of it, and not all at once. */
static void
test_waits (void)
{
  g_assert_cmpuint (dub_retry_foreign_ms (0, 0), ==, 1000);
  g_assert_cmpuint (dub_retry_foreign_ms (0, 1), ==, 1250);
  g_assert_cmpuint (dub_retry_foreign_ms (3, 0.5), ==, 8000);
  g_assert_cmpuint (dub_retry_foreign_ms (4, 0), ==, 12000);
  g_assert_cmpuint (dub_retry_foreign_ms (9, 0), ==, 22500);
  g_assert_cmpuint (dub_retry_foreign_ms (1000000, 1), ==, 30000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/worker/destinations/parse", test_parse);
  g_test_add_func ("/media/worker/destinations/none", test_none);
  g_test_add_func ("/media/worker/destinations/refused", test_refused);
  g_test_add_func ("/media/worker/destinations/limits", test_limits);
  g_test_add_func ("/media/worker/destinations/waits", test_waits);
  return g_test_run ();
}
