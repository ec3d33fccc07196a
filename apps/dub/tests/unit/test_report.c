/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor/report.h"

#include <string.h>

static DubReport *
make_report (DubCheckState state)
{
  DubReport *report = dub_report_new ();

  dub_report_section (report, "Elements");
  dub_report_add (report, DUB_CHECK_OK, "queue", "threads", NULL);
  dub_report_section (report, "Ports");
  dub_report_add (report, state, "1935", "RTMP", "stop the other one");
  return report;
}

static void
test_text (void)
{
  g_autoptr (DubReport) report = make_report (DUB_CHECK_MISSING);
  g_autofree char *text = dub_report_to_text (report);

  g_assert_cmpstr (text, ==,
      "Elements\n"
      "  ok       queue                    threads\n"
      "\n"
      "Ports\n"
      "  missing  1935                     RTMP\n"
      "                                    -> stop the other one\n");
}

static void
test_only_missing_is_bad (void)
{
  g_autoptr (DubReport) noted = make_report (DUB_CHECK_NOTE);
  g_autoptr (DubReport) missing = make_report (DUB_CHECK_MISSING);

  g_assert_true (dub_report_is_good (noted));
  g_assert_false (dub_report_is_good (missing));
}

static void
test_json (void)
{
  g_autoptr (DubReport) report = make_report (DUB_CHECK_NOTE);
  g_autoptr (JsonNode) root = dub_report_to_json (report);
  JsonObject *second =
      json_array_get_object_element (json_node_get_array (root), 1);

  g_assert_cmpstr (
      json_object_get_string_member (second, "section"), ==, "Ports");
  g_assert_cmpstr (json_object_get_string_member (second, "state"), ==, "note");
  g_assert_cmpstr (json_object_get_string_member (second, "remedy"), ==,
      "stop the other one");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dub/report/text", test_text);
  g_test_add_func ("/dub/report/only-missing-is-bad", test_only_missing_is_bad);
  g_test_add_func ("/dub/report/json", test_json);
  return g_test_run ();
}
