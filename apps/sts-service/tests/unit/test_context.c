/* SPDX-License-Identifier: Apache-2.0 */
#include "translation/context.h"

#include <string.h>

#define AGE 1000

static void
assert_context (DubContext *context, const char *stream, guint64 number,
    gint64 now, const char *expected)
{
  g_auto (GStrv) texts = dub_context_get (context, stream, number, now);
  g_autofree char *joined = g_strjoinv ("|", texts);

  g_assert_cmpstr (joined, ==, expected);
}

static void
test_last_sentences (void)
{
  g_autoptr (DubContext) context = dub_context_new (2, AGE);

  assert_context (context, "a", 9, 0, "");
  dub_context_add (context, "a", 0, "zero", 0);
  dub_context_add (context, "a", 1, "one", 1);
  dub_context_add (context, "b", 0, "other", 1);
  assert_context (context, "a", 2, 2, "zero|one");
  dub_context_add (context, "a", 2, "two", 2);
  assert_context (context, "a", 3, 3, "one|two");
  assert_context (context, "b", 3, 3, "other");
}

static void
test_order (void)
{
  g_autoptr (DubContext) context = dub_context_new (3, AGE);

  dub_context_add (context, "a", 2, "two", 0);
  dub_context_add (context, "a", 1, "one", 1);
  dub_context_add (context, "a", 4, "four", 2);
  assert_context (context, "a", 3, 3, "one|two");
  assert_context (context, "a", 1, 3, "");
}

static void
test_age (void)
{
  g_autoptr (DubContext) context = dub_context_new (3, AGE);

  dub_context_add (context, "a", 1, "one", 0);
  dub_context_add (context, "a", 2, "two", 10);
  assert_context (context, "a", 3, AGE, "one|two");
  assert_context (context, "a", 3, AGE + 1, "two");
  assert_context (context, "a", 3, AGE + 11, "");
}

static void
test_bounds (void)
{
  g_autoptr (DubContext) context = dub_context_new (3, AGE);
  g_autoptr (DubContext) off = dub_context_new (0, AGE);
  g_autofree char *large = g_strnfill (10000, 'x');
  g_auto (GStrv) texts = NULL;

  for (guint i = 0; i < 2 * DUB_CONTEXT_MAX_STREAMS; i++) {
    g_autofree char *stream = g_strdup_printf ("s%u", i);
    dub_context_add (context, stream, 0, large, i);
  }
  g_assert_cmpuint (
      dub_context_count_streams (context), ==, DUB_CONTEXT_MAX_STREAMS);
  assert_context (context, "s0", 1, 600, "");
  texts = dub_context_get (context, "s511", 1, 600);
  g_assert_cmpuint (strlen (texts[0]), ==, DUB_CONTEXT_MAX_CHARS);
  dub_context_add (off, "a", 0, "x", 0);
  g_assert_cmpuint (dub_context_count_streams (off), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/context/last-sentences", test_last_sentences);
  g_test_add_func ("/sts/context/order", test_order);
  g_test_add_func ("/sts/context/age", test_age);
  g_test_add_func ("/sts/context/bounds", test_bounds);
  return g_test_run ();
}
