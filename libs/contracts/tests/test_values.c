/* SPDX-License-Identifier: Apache-2.0 */
/* What samples cannot say: attachments, limits, the table of codes. */
#include <dubbing_common/error.h>
#include <dubbing_contracts/contracts.h>
#include <string.h>

/* Stands for a Socket.IO message with attachments. */
static GBytes *
get_binary (gpointer carrier, JsonNode *node)
{
  GPtrArray *attachments = carrier;
  JsonObject *object;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return NULL;
  object = json_node_get_object (node);
  return g_ptr_array_index (
      attachments, json_object_get_int_member (object, "num"));
}

static JsonNode *
add_binary (gpointer carrier, GBytes *bytes)
{
  GPtrArray *attachments = carrier;
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();

  json_object_set_boolean_member (object, "_placeholder", TRUE);
  json_object_set_int_member (object, "num", attachments->len);
  json_node_take_object (node, object);
  g_ptr_array_add (attachments, g_bytes_ref (bytes));
  return node;
}

static DubFragmentData *
make_data (GBytes *bytes, gboolean is_binary)
{
  DubFragmentData *data = dub_fragment_data_new ();

  data->fragment_id = g_strdup ("f1");
  data->stream_id = g_strdup ("s1");
  data->audio = dub_audio_new ("pcm_s16le", 48000, 1, 10, bytes);
  data->audio->is_binary = is_binary;
  return data;
}

static void
test_attachment (void)
{
  g_autoptr (GPtrArray) parts =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  const DubAttachments attachments = {get_binary, add_binary, parts};
  g_autoptr (GBytes) bytes = g_bytes_new_static ("\0\1\2\3", 4);
  g_autoptr (DubFragmentData) data = make_data (bytes, TRUE);
  g_autoptr (JsonNode) node = dub_fragment_data_to_json (data, &attachments);
  g_autoptr (DubFragmentData) again = NULL;
  g_autoptr (GBytes) back = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (parts->len, ==, 1);
  again = dub_fragment_data_from_json (node, &attachments, &error);
  g_assert_no_error (error);
  g_assert_true (again->audio->is_binary);
  g_assert_null (again->audio->base64);
  back = dub_audio_dup_data (again->audio, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (back, bytes));
}

static void
test_base64_without_attachments (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("\0\1\2", 3);
  g_autoptr (DubFragmentData) data = make_data (bytes, TRUE);
  g_autoptr (JsonNode) node = dub_fragment_data_to_json (data, NULL);
  JsonObject *audio =
      json_object_get_object_member (json_node_get_object (node), "audio");

  g_assert_cmpstr (
      json_object_get_string_member (audio, "data_base64"), ==, "AAEC");
}

static void
test_attachment_too_large (void)
{
  g_autoptr (GPtrArray) parts =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  const DubAttachments attachments = {get_binary, add_binary, parts};
  g_autoptr (GBytes) bytes = g_bytes_new_take (
      g_malloc0 (DUB_WIRE_MAX_AUDIO_BYTES + 1), DUB_WIRE_MAX_AUDIO_BYTES + 1);
  g_autoptr (DubFragmentData) data = make_data (bytes, TRUE);
  g_autoptr (JsonNode) node = dub_fragment_data_to_json (data, &attachments);
  g_autoptr (GError) error = NULL;

  g_assert_null (dub_fragment_data_from_json (node, &attachments, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
  g_assert_true (g_str_has_prefix (error->message, "audio.data_base64:"));
}

static void
test_base64_too_large (void)
{
  g_autoptr (DubFragmentData) data = make_data (NULL, FALSE);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;

  data->audio->base64 = g_strnfill (DUB_WIRE_MAX_AUDIO_BASE64 + 1, 'A');
  node = dub_fragment_data_to_json (data, NULL);
  g_assert_cmpuint (dub_fragment_data_peek_base64_length (node), ==,
      DUB_WIRE_MAX_AUDIO_BASE64 + 1);
  g_assert_null (dub_fragment_data_from_json (node, NULL, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
}

static void
test_bad_base64_costs_only_the_fragment (void)
{
  g_autoptr (JsonNode) node = json_from_string (
      "{\"fragment_id\":\"f\",\"stream_id\":\"s\",\"sequence_number\":4,"
      "\"timestamp\":0,\"audio\":{\"sample_rate_hz\":48000,\"channels\":1,"
      "\"duration_ms\":1,\"data_base64\":\"A*B\"}}",
      NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (DubFragmentData) data =
      dub_fragment_data_from_json (node, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (data->sequence_number, ==, 4);
  g_assert_null (dub_audio_dup_data (data->audio, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
}

static void
test_peek (void)
{
  static const struct {
    const char *json;
    gboolean has_number;
    guint64 number;
    const char *id;
    gsize base64;
  } table[] = {
      {"{\"fragment_id\":\"f\",\"sequence_number\":7}", TRUE, 7, "f", 0},
      {"{\"fragment_id\":5,\"sequence_number\":\"7\"}", TRUE, 7, NULL, 0},
      {"{\"fragment_id\":\"f\",\"sequence_number\":-1}", FALSE, 0, "f", 0},
      {"{\"audio\":\"AAAA\"}", FALSE, 0, NULL, 4},
      {"{\"audio\":{\"data_base64\":\"AAAA\"}}", FALSE, 0, NULL, 4},
      {"{\"audio\":{\"data_base64\":7}}", FALSE, 0, NULL, 0},
      {"{\"audio_data\":\"AA\"}", FALSE, 0, NULL, 2},
      {"[]", FALSE, 0, NULL, 0},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (JsonNode) node = json_from_string (table[i].json, NULL);
    g_autofree char *id = NULL;
    guint64 number = 0;

    g_assert_cmpint (
        dub_fragment_data_peek (node, &id, &number), ==, table[i].has_number);
    g_assert_cmpuint (number, ==, table[i].number);
    g_assert_cmpstr (id, ==, table[i].id);
    g_assert_cmpuint (
        dub_fragment_data_peek_base64_length (node), ==, table[i].base64);
  }
}

static void
test_dialects (void)
{
  static const struct {
    const char *json;
    DubDialect dialect;
  } table[] = {
      {"{\"fragment_id\":\"f\",\"stream_id\":\"s\",\"sequence_number\":0,"
       "\"timestamp\":0,\"audio\":{\"sample_rate_hz\":48000,\"channels\":1,"
       "\"duration_ms\":1,\"data_base64\":\"\"}}",
          DUB_DIALECT_NESTED},
      {"{\"fragment_id\":\"f\",\"stream_id\":\"s\",\"sequence_number\":0,"
       "\"audio\":\"\",\"sample_rate\":48000,\"channels\":1,"
       "\"duration_ms\":1}",
          DUB_DIALECT_FLAT},
      {"{\"fragment_id\":\"f\",\"stream_id\":\"s\",\"sequence_number\":0,"
       "\"audio_data\":\"\",\"sample_rate\":48000,\"channels\":1,"
       "\"duration_ms\":1}",
          DUB_DIALECT_AUDIO_DATA},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (JsonNode) node = json_from_string (table[i].json, NULL);
    g_autoptr (GError) error = NULL;
    g_autoptr (DubFragmentData) data =
        dub_fragment_data_from_json (node, NULL, &error);

    g_assert_no_error (error);
    g_assert_cmpint (data->dialect, ==, table[i].dialect);
  }
  g_assert_cmpstr (
      dub_dialect_to_string (DUB_DIALECT_AUDIO_DATA), ==, "audio_data");
  g_assert_cmpstr (dub_dialect_to_string (99), ==, "none");
}

static void
test_codes (void)
{
  const DubWireCode *codes = dub_wire_codes ();
  guint count = 0;

  for (; codes[count].code; count++) {
    g_autoptr (DubWireError) error =
        dub_wire_error_new (codes[count].code, "x");

    g_assert_true (dub_wire_code_lookup (codes[count].code) == &codes[count]);
    g_assert_cmpint (error->is_retryable, ==, codes[count].is_retryable);
    g_assert_cmpint (error->severity, ==, codes[count].severity);
  }
  g_assert_cmpuint (count, ==, 24);
  g_assert_null (dub_wire_code_lookup ("BAD_MOON"));
  g_assert_true (dub_wire_code_counts_for_breaker ("BAD_MOON"));
  g_assert_false (dub_wire_code_counts_for_breaker ("INVALID_CONFIG"));
  g_assert_true (dub_wire_code_counts_for_breaker ("TIMEOUT"));
}

static void
test_long_text_is_cut_at_a_character (void)
{
  g_autofree char *filler = g_strnfill (DUB_WIRE_MAX_TEXT - 1, 'a');
  g_autofree char *json =
      g_strdup_printf ("{\"fragment_id\":\"f\",\"status\":\"success\","
                       "\"transcript\":\"%s\xc3\xa9tail\"}",
          filler);
  g_autoptr (JsonNode) node = json_from_string (json, NULL);
  g_autoptr (DubFragmentProcessed) value =
      dub_fragment_processed_from_json (node, NULL, NULL);

  g_assert_nonnull (value);
  g_assert_true (g_utf8_validate (value->transcript, -1, NULL));
  g_assert_cmpuint (strlen (value->transcript), ==, DUB_WIRE_MAX_TEXT - 1);
}

static void
test_many_rules (void)
{
  g_autoptr (GString) json = g_string_new ("{\"rules\":[");
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i <= DUB_WIRE_MAX_RULES; i++)
    g_string_append (json, i ? ",{}" : "{}");
  g_string_append (json, "]}");
  node = json_from_string (json->str, NULL);
  g_assert_null (dub_error_simulation_from_json (node, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
}

static void
test_simulation_ack (void)
{
  static const struct {
    const char *json;
    gboolean is_ok;
    gboolean is_accepted;
  } table[] = {
      {"{\"status\":\"accepted\",\"rules_count\":2}", TRUE, TRUE},
      {"{\"status\":\"configured\"}", TRUE, TRUE},
      {"{\"status\":\"rejected\",\"message\":null}", TRUE, FALSE},
      {"{\"status\":\"error\"}", TRUE, FALSE},
      {"{}", FALSE, FALSE},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (JsonNode) node = json_from_string (table[i].json, NULL);
    gboolean is_accepted = FALSE;
    guint count = 0;

    g_assert_cmpint (
        dub_error_simulation_ack_from_json (node, &is_accepted, &count, NULL),
        ==, table[i].is_ok);
    g_assert_cmpint (is_accepted, ==, table[i].is_accepted);
  }
}

/* Destructors take NULL and half-built objects. */
static void
test_free_null (void)
{
  dub_stream_init_free (NULL);
  dub_stream_ready_free (NULL);
  dub_stream_control_free (NULL);
  dub_stream_complete_free (NULL);
  dub_fragment_data_free (NULL);
  dub_fragment_ack_free (NULL);
  dub_fragment_processed_free (NULL);
  dub_wire_error_free (NULL);
  dub_backpressure_free (NULL);
  dub_error_simulation_free (NULL);
  dub_simulate_disconnect_free (NULL);
  dub_audio_free (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/contracts/audio/attachment", test_attachment);
  g_test_add_func ("/contracts/audio/base64-without-attachments",
      test_base64_without_attachments);
  g_test_add_func (
      "/contracts/audio/attachment-too-large", test_attachment_too_large);
  g_test_add_func ("/contracts/audio/base64-too-large", test_base64_too_large);
  g_test_add_func ("/contracts/audio/bad-base64-costs-only-the-fragment",
      test_bad_base64_costs_only_the_fragment);
  g_test_add_func ("/contracts/fragment/peek", test_peek);
  g_test_add_func ("/contracts/fragment/dialects", test_dialects);
  g_test_add_func ("/contracts/error/codes", test_codes);
  g_test_add_func ("/contracts/text/is-cut-at-a-character",
      test_long_text_is_cut_at_a_character);
  g_test_add_func ("/contracts/simulation/many-rules", test_many_rules);
  g_test_add_func ("/contracts/simulation/ack", test_simulation_ack);
  g_test_add_func ("/contracts/free-null", test_free_null);
  return g_test_run ();
}
