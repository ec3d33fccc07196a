/* SPDX-License-Identifier: Apache-2.0 */
#include <media_service/values.h>

static DubAccessUnit *
unit_new (void)
{
  return dub_access_unit_new (DUB_VIDEO_CODEC_H264,
      g_bytes_new_static ("data", 4), g_bytes_new_static ("avcC", 4), 40, 20,
      TRUE);
}

static void
test_retimed_shares_the_picture (void)
{
  g_autoptr (DubAccessUnit) unit = unit_new ();
  g_autoptr (DubAccessUnit) other = NULL;

  unit->duration_ns = 7;
  other = dub_access_unit_retimed (unit, 140, 120);
  g_assert_cmpint (other->pts_ns, ==, 140);
  g_assert_cmpint (other->dts_ns, ==, 120);
  g_assert_cmpint (other->duration_ns, ==, 7);
  g_assert_cmpint (other->codec, ==, DUB_VIDEO_CODEC_H264);
  g_assert_true (other->is_key);
  g_assert_true (other->data == unit->data);
  g_assert_true (other->codec_data == unit->codec_data);
  g_assert_cmpint (unit->pts_ns, ==, 40);
}

static void
test_references_are_counted (void)
{
  DubAccessUnit *unit = unit_new ();
  DubAnswer *answer = dub_answer_new ("id", DUB_ANSWER_PARTIAL);
  DubFragment *fragment = dub_fragment_new (
      3, dub_pcm_new_silence (10, 48000, 1, 5), DUB_CUT_EOS, 9, 8);

  dub_access_unit_unref (dub_access_unit_ref (unit));
  g_assert_cmpuint (g_bytes_get_size (unit->data), ==, 4);
  dub_access_unit_unref (unit);
  dub_answer_unref (dub_answer_ref (answer));
  g_assert_cmpstr (answer->fragment_id, ==, "id");
  g_assert_cmpint (answer->status, ==, DUB_ANSWER_PARTIAL);
  dub_answer_unref (answer);
  dub_fragment_unref (dub_fragment_ref (fragment));
  g_assert_cmpuint (fragment->number, ==, 3);
  g_assert_cmpint (fragment->deadline_ns, ==, 9);
  g_assert_cmpint (fragment->room_ns, ==, 8);
  g_assert_true (g_uuid_string_is_valid (fragment->id));
  dub_fragment_unref (fragment);
  dub_access_unit_unref (NULL);
  dub_answer_unref (NULL);
  dub_fragment_unref (NULL);
}

static void
test_reasons_have_the_names_of_the_protocol (void)
{
  static const struct {
    DubCutReason reason;
    const char *text;
  } cases[] = {{DUB_CUT_NONE, "none"}, {DUB_CUT_SILENCE, "silence"},
      {DUB_CUT_MAX_DURATION, "max_duration"},
      {DUB_CUT_MEMORY_LIMIT, "memory_limit"}, {DUB_CUT_EOS, "eos"},
      {(DubCutReason) 99, "none"}};

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpstr (
        dub_cut_reason_to_string (cases[i].reason), ==, cases[i].text);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media/values/retimed-shares-the-picture",
      test_retimed_shares_the_picture);
  g_test_add_func (
      "/media/values/references-are-counted", test_references_are_counted);
  g_test_add_func ("/media/values/reasons-have-names",
      test_reasons_have_the_names_of_the_protocol);
  return g_test_run ();
}
