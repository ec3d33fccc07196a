/* SPDX-License-Identifier: Apache-2.0 */
#include "control/json_text.h"
#include "control/reader.h"

#include <dubbing_common/error.h>
#include <string.h>

#define MAX_LINE 64

/* What comes out of the text: 'm' for a message, 'i' for an invalid line, 'l'
 * for one that breaks a limit. */
static char *
read_signs (const char *text, gsize step)
{
  g_autoptr (DubControlReader) reader = dub_control_reader_new (MAX_LINE);
  GString *signs = g_string_new (NULL);
  gsize size = strlen (text);

  for (gsize at = 0; at < size; at += step) {
    dub_control_reader_feed (reader, text + at, MIN (step, size - at));
    for (;;) {
      g_autoptr (JsonObject) message = NULL;
      g_autoptr (GError) error = NULL;

      if (!dub_control_reader_next (reader, &message, &error))
        break;
      if (message != NULL)
        g_string_append_c (signs, 'm');
      else
        g_string_append_c (signs, error->code == DUB_ERROR_LIMIT ? 'l' : 'i');
    }
  }
  return g_string_free (signs, FALSE);
}

#define TEN "xxxxxxxxxx"
#define LONG TEN TEN TEN TEN TEN TEN TEN

typedef struct {
  const char *text, *signs;
} Case;

static const Case cases[] = {
    {"", ""},
    {"{\"type\":\"stop\"}\n", "m"},
    {"{\"type\":\"stop\"}", ""}, /* not ended yet */
    {"{}\r\n{}\n", "mm"},
    {"\n  \n{}\n", "m"},
    {"stop\n{}\n", "im"},
    {"[]\n\"x\"\n1\nnull\n{}\n", "iiiim"},
    {"{\"a\":1} {\"b\":2}\n{}\n", "im"},
    {"{\"a\":}\n{\"a\"\n{}\n", "iim"},
    {"{\"a\":\"\xff\"}\n{}\n", "im"},
    {LONG "\n{}\n", "lm"},
    {LONG LONG LONG "\n" LONG "\n{}\n", "llm"},
    {"{\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}\n{}\n", "mm"},
    {"{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"}\n", "m"},
};

static void
test_lines (gconstpointer data)
{
  const Case *c = data;

  for (gsize step = 1; step < 200; step += 13) {
    g_autofree char *signs = read_signs (c->text, step);

    g_assert_cmpstr (signs, ==, c->signs);
  }
}

/* A peer that never ends its line costs one line's memory, and is told. */
static void
test_endless (void)
{
  g_autoptr (DubControlReader) reader = dub_control_reader_new (MAX_LINE);
  g_autofree char *block = g_strnfill (100000, 'x');
  int n_reports = 0;

  for (int i = 0; i < 100; i++) {
    g_autoptr (JsonObject) message = NULL;
    g_autoptr (GError) error = NULL;

    dub_control_reader_feed (reader, block, 100000);
    while (dub_control_reader_next (reader, &message, &error)) {
      g_assert_null (message);
      g_clear_error (&error);
      n_reports++;
    }
  }
  g_assert_cmpint (n_reports, ==, 1);
}

/* Deep nesting would exhaust the stack of json-glib. */
static void
test_deep (void)
{
  g_autofree char *brackets = g_strnfill (1000000, '[');
  g_autofree char *text = g_strdup_printf ("{\"a\":%s}", brackets);
  g_autoptr (GError) error = NULL;

  g_assert_null (dub_json_object_parse (text, -1, 2000000, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/media/control/reader/%" G_GSIZE_FORMAT, i);

    g_test_add_data_func (path, &cases[i], test_lines);
  }
  g_test_add_func ("/media/control/reader/endless", test_endless);
  g_test_add_func ("/media/control/reader/deep", test_deep);
  return g_test_run ();
}
