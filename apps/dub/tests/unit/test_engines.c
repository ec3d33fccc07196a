/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/engines.h"

#include <dubbing_common/error.h>

static void
test_parse (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubEngines) engines = dub_engines_parse (
      "{\"cores\": 4, \"engines\": [{\"stage\": \"synthesis\", \"provider\": "
      "\"piper\", \"model\": \"joe\", \"languages\": \"en\", \"state\": "
      "\"ready\", \"rtf\": 0.25, \"load_s\": 1.5, \"memory_mib\": 90.0}, "
      "{\"stage\": \"synthesis\", \"rtf\": \"fast\"}, 7]}",
      &error);
  const DubEngine *first, *second;

  g_assert_no_error (error);
  g_assert_cmpuint (engines->cores, ==, 4);
  g_assert_cmpuint (engines->list->len, ==, 2);
  first = engines->list->pdata[0];
  second = engines->list->pdata[1];
  g_assert_cmpstr (first->provider, ==, "piper");
  g_assert_cmpfloat (first->rtf, ==, 0.25);
  g_assert_true (first->is_measured);
  g_assert_cmpstr (second->provider, ==, "");
  g_assert_false (second->is_measured);
}

static void
test_refuses (void)
{
  static const char *const texts[] = {
      "", "nonsense", "[]", "{}", "{\"engines\": 3}", "{\"engines\": [}"};

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (dub_engines_parse (texts[i], &error));
    g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dub/engines/parse", test_parse);
  g_test_add_func ("/dub/engines/refuses", test_refuses);
  return g_test_run ();
}
