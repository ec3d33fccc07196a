/* SPDX-License-Identifier: Apache-2.0 */
#include "api/hook_event.h"
#include "api/path_list.h"
#include "orchestrator/stream_settings.h"

#include <dubbing_common/error.h>
#include <string.h>

typedef struct {
  const char *body;
  const char *field; /* NULL: it is good; "": the body as such is bad */
  const char *bare;  /* the same without a source needed */
} Case;

#define SOURCE "\"sourceType\":\"rtmpConn\",\"sourceId\":\"x\""

static const Case cases[] = {
    {"{\"path\":\"live/demo/in\"," SOURCE "}", NULL, NULL},
    {"{\"path\":\"live/demo/in\",\"source_type\":\"rtmpConn\","
     "\"source_id\":\"x\",\"query\":\"a=b\"}",
        NULL, NULL},
    {"{\"path\":\"live/A-b_9/out\",\"sourceType\":\"srtConn\","
     "\"sourceId\":\"\",\"query\":null,\"more\":[1]}",
        NULL, NULL},
    {"{\"path\":\"live/demo/in\"}", "sourceType", NULL},
    {"{\"path\":\"live/demo/in\",\"sourceType\":\"\",\"sourceId\":\"\"}",
        "sourceType", NULL},
    {"{\"path\":\"live/demo/in\",\"sourceType\":\"rtmpConn\"}", "sourceId",
        NULL},
    {"{\"path\":\"live/demo/in\",\"sourceType\":1,\"sourceId\":\"x\"}",
        "sourceType", "sourceType"},
    {"{\"path\":\"live/demo/in\"," SOURCE ",\"query\":{}}", "query", "query"},
    {"{" SOURCE "}", "path", "path"},
    {"{\"path\":null," SOURCE "}", "path", "path"},
    {"{\"path\":\"\"," SOURCE "}", "path", "path"},
    {"{\"path\":\"live/demo\"," SOURCE "}", "path", "path"},
    {"{\"path\":\"live//in\"," SOURCE "}", "path", "path"},
    {"{\"path\":\"/live/demo/in\"," SOURCE "}", "path", "path"},
    {"{\"path\":\"live/demo/in/\"," SOURCE "}", "path", "path"},
    {"{\"path\":\"live/demo/in\\n\"," SOURCE "}", "path", "path"},
    {"{\"path\":\"live/../in\"," SOURCE "}", "path", "path"},
    {"{\"path\":\"live/a b/in\"," SOURCE "}", "path", "path"},
    {"{\"path\":\"live/\xc3\xa9/in\"," SOURCE "}", "path", "path"},
    {"{\"path\":\"live/a/b/in\"," SOURCE "}", "path", "path"},
    {"{\"path\":\"vod/demo/in\"," SOURCE "}", "path", "path"},
    {"{\"path\":\"live/demo/out/es\"," SOURCE "}", "path", "path"},
    {"", "", ""},
    {"null", "", ""},
    {"[]", "", ""},
    {"{\"path\":\"live/demo/in\"," SOURCE, "", ""},
};

static void
check (const Case *c, gboolean needs_source, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DubHookEvent) event = NULL;
  const char *field = "unset";

  event = dub_hook_event_parse (
      c->body, strlen (c->body), needs_source, &field, &error);
  if (expected == NULL) {
    g_assert_no_error (error);
    g_assert_nonnull (event->stream_id);
    return;
  }
  g_assert_null (event);
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  g_assert_cmpstr (field != NULL ? field : "", ==, expected);
}

static void
test_body (gconstpointer data)
{
  const Case *c = data;

  check (c, TRUE, c->field);
  check (c, FALSE, c->bare);
}

static void
test_values (void)
{
  static const char body[] = "{\"path\":\"live/A-b_9/out\",\"sourceType\":"
                             "\"srtConn\",\"sourceId\":\"i\",\"query\":"
                             "\"a=\\\"\"}";
  const char *field;
  g_autoptr (DubHookEvent) event =
      dub_hook_event_parse (body, strlen (body), TRUE, &field, NULL);

  g_assert_cmpstr (event->stream_id, ==, "A-b_9");
  g_assert_cmpint (event->direction, ==, DUB_HOOK_OUT);
  g_assert_cmpstr (event->source_type, ==, "srtConn");
  g_assert_cmpstr (event->source_id, ==, "i");
  g_assert_cmpstr (event->query, ==, "a=\"");
}

static void
test_limits (void)
{
  g_autofree char *id = g_strnfill (DUB_STREAM_ID_MAX + 1, 'x');
  g_autofree char *body =
      g_strdup_printf ("{\"path\":\"live/%s/in\"," SOURCE "}", id);
  g_autofree char *padding = g_strnfill (DUB_HOOK_MAX_BYTES, ' ');
  g_autofree char *large = g_strconcat (body, padding, NULL);
  g_autoptr (GError) error = NULL;
  const char *field;

  g_assert_null (
      dub_hook_event_parse (body, strlen (body), TRUE, &field, &error));
  g_assert_cmpstr (field, ==, "path");
  g_clear_error (&error);
  g_assert_null (
      dub_hook_event_parse (large, strlen (large), TRUE, &field, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_LIMIT);
}

typedef struct {
  const char *query, *from, *to, *voice;
} QueryCase;

static const QueryCase queries[] = {
    {NULL, NULL, NULL, NULL},
    {"", NULL, NULL, NULL},
    {"to=es", NULL, "es", NULL},
    {"?from=pt-BR&to=en&voice=joe_1.2", "pt-BR", "en", "joe_1.2"},
    {"user=a&pass=b&to=es&lang=fr", NULL, "es", NULL},
    {"to=%65s", NULL, "es", NULL},
    {"to=es&to=fr", NULL, "fr", NULL},
    {"to=", NULL, NULL, NULL},
    {"to=e", NULL, NULL, NULL},
    {"to=../etc", NULL, NULL, NULL},
    {"to=e%20s", NULL, NULL, NULL},
    {"to=%00es", NULL, NULL, NULL},
    {"to=%zz", NULL, NULL, NULL},
    {"to", NULL, NULL, NULL},
    {"OUTPUT_URL=rtmp://elsewhere/x&STS_SERVICE_URL=http://x", NULL, NULL,
        NULL},
    /* pragma: allowlist nextline secret */
    {"to=abcdefghijklmnopqrstuvwxyz1234567", NULL, NULL, NULL},
};

static void
test_query (gconstpointer data)
{
  const QueryCase *c = data;
  g_autoptr (DubStreamSettings) options =
      dub_stream_settings_parse_query (c->query);

  g_assert_cmpstr (options->values[DUB_SETTING_SOURCE_LANGUAGE], ==, c->from);
  g_assert_cmpstr (options->values[DUB_SETTING_TARGET_LANGUAGES], ==, c->to);
  g_assert_cmpstr (options->values[DUB_SETTING_VOICE_PROFILE], ==, c->voice);
}

typedef struct {
  const char *text;
  const char *ids; /* joined by a space; NULL: no list */
} ListCase;

static const ListCase lists[] = {
    {"{\"itemCount\":0,\"pageCount\":0,\"items\":[]}", ""},
    {"{\"pageCount\":1,\"items\":["
     "{\"name\":\"live/a/in\",\"ready\":true},"
     "{\"name\":\"live/b/in\",\"ready\":false},"
     "{\"name\":\"live/a/out\",\"ready\":true},"
     "{\"name\":\"live/x/y/in\",\"ready\":true},"
     "{\"name\":\"live/in\",\"ready\":true},"
     "{\"name\":\"other\",\"ready\":true},"
     "{\"name\":7,\"ready\":true},7,null,"
     "{\"name\":\"live/c/in\",\"ready\":1},"
     "{\"name\":\"live/d/in\",\"ready\":true}]}",
        "a d"},
    {"{\"pageCount\":2,\"items\":[]}", NULL},
    {"{\"error\":\"x\"}", NULL},
    {"{\"items\":{}}", NULL},
    {"<html>", NULL},
    {"", NULL},
};

/* "id id", and "id?query" where there is one. (transfer full) (nullable) */
static char *
show_streams (GArray *streams)
{
  GString *out;

  if (streams == NULL)
    return NULL;
  out = g_string_new (NULL);
  for (guint i = 0; i < streams->len; i++) {
    const DubPresent *stream = &g_array_index (streams, DubPresent, i);

    g_string_append_printf (out, "%s%s%s%s", i > 0 ? " " : "",
        stream->stream_id, stream->query != NULL ? "?" : "",
        stream->query != NULL ? stream->query : "");
  }
  return g_string_free (out, FALSE);
}

static void
test_list (gconstpointer data)
{
  const ListCase *c = data;
  g_autoptr (GArray) streams = dub_path_list_parse (c->text, strlen (c->text));
  g_autofree char *shown = show_streams (streams);

  g_assert_cmpstr (shown, ==, c->ids);
}

/* The query is the publisher's, not that of one who reads the same path. */
static void
test_queries (void)
{
  static const char paths[] =
      "{\"items\":[{\"name\":\"live/a/in\",\"ready\":true},"
      "{\"name\":\"live/b/in\",\"ready\":true}]}";
  static const char connections[] =
      "{\"items\":[{\"path\":\"live/a/in\",\"state\":\"read\",\"query\":"
      "\"to=fr\"},{\"path\":\"live/a/in\",\"state\":\"publish\",\"query\":"
      "\"to=es\"},{\"path\":\"live/b/out\",\"state\":\"publish\",\"query\":"
      "\"to=de\"},{\"path\":\"live/c/in\",\"state\":\"publish\",\"query\":"
      "\"to=it\"},{\"path\":\"live/b/in\",\"state\":\"publish\"},{},7]}";
  g_autoptr (GArray) streams = dub_path_list_parse (paths, strlen (paths));
  g_autofree char *shown = NULL;

  dub_path_list_add_queries (streams, "nonsense", 8);
  dub_path_list_add_queries (streams, connections, strlen (connections));
  shown = show_streams (streams);
  g_assert_cmpstr (shown, ==, "a?to=es b");
}

/* What MediaMTX's RTMP cannot give is to be pulled by RTSP. */
static void
test_h265 (void)
{
  static const char paths[] =
      "{\"items\":[{\"name\":\"live/a/in\",\"ready\":true,\"tracks\":"
      "[\"H265\",\"MPEG-4 Audio\"]},{\"name\":\"live/b/in\",\"ready\":true,"
      "\"tracks\":[\"H264\",7,null]},{\"name\":\"live/c/in\",\"ready\":true,"
      "\"tracks\":\"H265\"}]}";
  g_autoptr (GArray) streams = dub_path_list_parse (paths, strlen (paths));

  g_assert_cmpuint (streams->len, ==, 3);
  g_assert_true (g_array_index (streams, DubPresent, 0).is_h265);
  g_assert_false (g_array_index (streams, DubPresent, 1).is_h265);
  g_assert_false (g_array_index (streams, DubPresent, 2).is_h265);
}

#define ADD_ALL(table, name, func)                                             \
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {                           \
    g_autofree char *path =                                                    \
        g_strdup_printf ("/media/hook/" name "/%" G_GSIZE_FORMAT, i);          \
    g_test_add_data_func (path, &(table)[i], (func));                          \
  }

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_ALL (cases, "body", test_body);
  ADD_ALL (queries, "query", test_query);
  ADD_ALL (lists, "list", test_list);
  g_test_add_func ("/media/hook/h265", test_h265);
  g_test_add_func ("/media/hook/queries", test_queries);
  g_test_add_func ("/media/hook/values", test_values);
  g_test_add_func ("/media/hook/limits", test_limits);
  return g_test_run ();
}
