/* SPDX-License-Identifier: Apache-2.0 */
#include "session/simulate.h"

static const char rules[] =
    "{\"enabled\":true,\"rules\":["
    "{\"trigger\":\"sequence_number\",\"value\":2,\"error_code\":\"A\"},"
    "{\"trigger\":\"fragment_id\",\"value\":\"f5\",\"error_code\":\"B\"},"
    "{\"trigger\":\"sequence_number\",\"value\":\"7\",\"error_code\":\"C\"},"
    "{\"trigger\":\"nth_fragment\",\"value\":4,\"error_code\":\"D\"},"
    "{\"trigger\":\"fragment_id\",\"value\":9,\"error_code\":\"E\"}]}";

static void
test_match (void)
{
  static const struct {
    guint64 number;
    const char *id;
    guint64 nth;
    const char *code;
  } table[] = {
      {0, "f0", 1, NULL},
      {2, "f2", 3, "A"},
      {2, "f5", 4, "A"}, /* the first that matches */
      {5, "f5", 6, "B"},
      {7, "f7", 7, NULL}, /* "7" is not 7 */
      {9, "9", 9, NULL},  /* 9 is not "9" */
      {3, "f3", 4, "D"},
      {11, "f11", 8, "D"},
  };
  g_autoptr (JsonNode) node = json_from_string (rules, NULL);
  g_autoptr (DubErrorSimulation) simulation =
      dub_error_simulation_from_json (node, NULL);

  g_assert_nonnull (simulation);
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    const DubErrorRule *rule = dub_error_simulation_meet (
        simulation, table[i].number, table[i].id, table[i].nth);

    g_assert_cmpstr (rule ? rule->error_code : NULL, ==, table[i].code);
  }
  simulation->is_enabled = FALSE;
  g_assert_null (dub_error_simulation_meet (simulation, 2, "f2", 3));
  g_assert_null (dub_error_simulation_meet (NULL, 2, "f2", 3));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/session/simulate/match", test_match);
  return g_test_run ();
}
