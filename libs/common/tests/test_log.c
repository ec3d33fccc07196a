/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "test.topic"
#define G_LOG_DOMAIN "Our-Domain"
#include "dubbing_common/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *last_line;
static DubLogLevel last_level;
static int n_lines;

static void
keep_line (DubLogLevel level, const char *line, gpointer user_data)
{
  g_free (last_line);
  last_line = g_strdup (line);
  last_level = level;
  n_lines++;
}

static void
set_up (DubLogFormat format)
{
  dub_log_init ("tester", DUB_LOG_DEBUG, format);
  dub_log_set_sink (keep_line, NULL);
  dub_log_set_field ("stream_id", NULL);
  dub_log_set_field ("run_id", NULL);
  g_clear_pointer (&last_line, g_free);
  n_lines = 0;
}

/* The line without its time, which no test can know. */
static const char *
after_time (const char *line)
{
  const char *end = strstr (line, "Z\",");

  g_assert_true (g_str_has_prefix (line, "{\"ts\":\"20"));
  g_assert_nonnull (end);
  g_assert_cmpint (
      end - line, ==, strlen ("{\"ts\":\"2026-01-02T03:04:05.678"));
  return end + 3;
}

static void
test_json (void)
{
  set_up (DUB_LOG_JSON);
  dub_info ("hello %d", 7);
  g_assert_cmpstr (after_time (last_line), ==,
      "\"level\":\"info\",\"topic\":\"test.topic\",\"component\":\"tester\","
      "\"message\":\"hello 7\"}");
  g_assert_cmpint (last_level, ==, DUB_LOG_INFO);
}

static void
test_fields (void)
{
  static const char *const fields[] = {
      "a", "1", "left_out", NULL, "run_id", "own", NULL};

  set_up (DUB_LOG_JSON);
  dub_log_set_field ("stream_id", "old");
  dub_log_set_field ("run_id", "r");
  dub_log_set_field ("stream_id", "demo");
  dub_log_fields (DUB_LOG_WARNING, "t", fields, "m");
  /* A key never comes twice: the line's own wins over the program's. */
  g_assert_nonnull (strstr (last_line,
      "\"component\":\"tester\",\"stream_id\":\"demo\",\"a\":\"1\","
      "\"run_id\":\"own\",\"message\":\"m\"}"));
  dub_log_fragment (DUB_LOG_DEBUG, "f-1", "sent");
  g_assert_nonnull (strstr (last_line, "\"fragment_id\":\"f-1\""));
  dub_log_fragment (DUB_LOG_DEBUG, NULL, "sent");
  g_assert_null (strstr (last_line, "fragment_id"));
}

typedef struct {
  const char *text, *json, *plain;
} Escape;

static void
test_escapes (void)
{
  static const Escape cases[] = {
      {"a\"b\\c", "a\\\"b\\\\c", "a\"b\\c"},
      {"a\nb\r\tc", "a\\nb\\r\\tc", "a\\nb\\x0d\\x09c"},
      {"\x1b[31m\x01", "\\u001b[31m\\u0001", "\\x1b[31m\\x01"},
      {"\xc2\x9b"
       "2J",
          "\xc2\x9b"
          "2J",
          "\\x9b2J"},
      {"\xc3\xa9\xf0\x9f\x8e\xac", "\xc3\xa9\xf0\x9f\x8e\xac",
          "\xc3\xa9\xf0\x9f\x8e\xac"},
      {"x\xff\xc3y", "x\xef\xbf\xbd\xef\xbf\xbdy",
          "x\xef\xbf\xbd\xef\xbf\xbdy"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *json = NULL;
    g_autofree char *plain = NULL;

    set_up (DUB_LOG_JSON);
    dub_error ("%s", cases[i].text);
    json = g_strdup_printf ("\"message\":\"%s\"}", cases[i].json);
    g_assert_true (g_str_has_suffix (last_line, json));
    set_up (DUB_LOG_TEXT);
    dub_error ("%s", cases[i].text);
    plain = g_strdup_printf (" error   test.topic: %s", cases[i].plain);
    g_assert_true (g_str_has_suffix (last_line, plain));
  }
}

/* A long message is cut between characters. */
static void
test_long (void)
{
  GString *text = g_string_new ("x");

  while (text->len < 200000)
    g_string_append (text, "\xc3\xa9");
  set_up (DUB_LOG_JSON);
  dub_info ("%s", text->str);
  g_assert_cmpuint (strlen (last_line), <, 17000);
  g_assert_true (g_str_has_suffix (last_line, "\xc3\xa9...\"}"));
  g_string_free (text, TRUE);
}

static void
test_levels (void)
{
  static const struct {
    const char *text;
    int level;
  } cases[] = {{"error", DUB_LOG_ERROR}, {"WARN", DUB_LOG_WARNING},
      {"Warning", DUB_LOG_WARNING}, {"INFO", DUB_LOG_INFO},
      {"debug", DUB_LOG_DEBUG}, {"trace", DUB_LOG_TRACE}, {"none", 0}, {"", 0},
      {"infos", 0}, {NULL, 0}};

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    DubLogLevel level = DUB_LOG_NONE;

    g_assert_cmpint (
        dub_log_level_parse (cases[i].text, &level), ==, cases[i].level != 0);
    g_assert_cmpint ((int) level, ==, cases[i].level);
  }
  set_up (DUB_LOG_JSON);
  dub_trace ("not shown");
  g_assert_cmpint (n_lines, ==, 0);
  g_assert_true (dub_log_is_enabled (DUB_LOG_DEBUG));
  g_assert_false (dub_log_is_enabled (DUB_LOG_TRACE));
  g_assert_false (dub_log_is_enabled (DUB_LOG_NONE));
}

static void
test_glib (void)
{
  set_up (DUB_LOG_JSON);
  g_message ("from %s", "glib");
  g_assert_nonnull (strstr (last_line, "\"topic\":\"Our-Domain\""));
  g_assert_nonnull (strstr (last_line, "\"message\":\"from glib\""));
  g_assert_cmpint (last_level, ==, DUB_LOG_INFO);
  g_log ("Other", G_LOG_LEVEL_INFO, "quiet");
  g_assert_cmpint (last_level, ==, DUB_LOG_DEBUG);
  g_log ("Other", G_LOG_LEVEL_DEBUG, "quieter");
  g_assert_cmpint (n_lines, ==, 2);
}

static void
test_glib_structured (void)
{
  set_up (DUB_LOG_JSON);
  g_log_structured (
      "Dom", G_LOG_LEVEL_MESSAGE, "STREAM_ID", "s\"1", "MESSAGE", "m %d", 3);
  g_assert_nonnull (strstr (last_line,
      "\"topic\":\"Dom\",\"component\":\"tester\",\"stream_id\":\"s\\\"1\","
      "\"message\":\"m 3\"}"));
}

/* A structured critical must still end a program under G_DEBUG. */
static void
test_glib_fatal (void)
{
  if (g_test_subprocess ()) {
    g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    dub_log_init ("tester", DUB_LOG_INFO, DUB_LOG_JSON);
    g_log_structured ("Dom", G_LOG_LEVEL_CRITICAL, "MESSAGE", "%s", "bad");
    exit (0);
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*\"message\":\"bad\"*");
}

/* The reader of our lines may go; the program goes on. */
static void
test_gone_reader (void)
{
  if (g_test_subprocess ()) {
    int ends[2];

    g_assert_cmpint (pipe (ends), ==, 0);
    dub_log_init ("tester", DUB_LOG_INFO, DUB_LOG_JSON);
    close (ends[0]);
    dup2 (ends[1], STDERR_FILENO);
    dub_info ("nobody reads this");
    exit (0);
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
}

#define THREADS 4
#define LINES 500

static gpointer
log_lines (gpointer data)
{
  g_autofree char *filler = g_strnfill (300, 'x');

  for (int i = 0; i < LINES; i++)
    dub_info ("%s", filler);
  return NULL;
}

static void
write_to_pipe (int fd)
{
  GThread *threads[THREADS];
  int saved = dup (STDERR_FILENO);

  dup2 (fd, STDERR_FILENO);
  for (int i = 0; i < THREADS; i++)
    threads[i] = g_thread_new ("logger", log_lines, NULL);
  for (int i = 0; i < THREADS; i++)
    g_thread_join (threads[i]);
  dup2 (saved, STDERR_FILENO);
  close (saved);
}

/* Lines of threads that write at once come out whole. */
static void
test_whole_lines (void)
{
  g_autofree char *path = g_strdup ("/tmp/dub-log-XXXXXX");
  int fd = g_mkstemp (path);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  set_up (DUB_LOG_JSON);
  dub_log_set_sink (NULL, NULL);
  g_assert_cmpint (fd, >=, 0);
  write_to_pipe (fd);
  close (fd);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  unlink (path);
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, THREADS * LINES + 1);
  for (int i = 0; i < THREADS * LINES; i++) {
    g_assert_cmpuint (strlen (lines[i]), ==, strlen (lines[0]));
    g_assert_true (g_str_has_suffix (lines[i], "x\"}"));
  }
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/log/json", test_json);
  g_test_add_func ("/common/log/fields", test_fields);
  g_test_add_func ("/common/log/escapes", test_escapes);
  g_test_add_func ("/common/log/long", test_long);
  g_test_add_func ("/common/log/levels", test_levels);
  g_test_add_func ("/common/log/glib", test_glib);
  g_test_add_func ("/common/log/glib-structured", test_glib_structured);
  g_test_add_func ("/common/log/glib-fatal", test_glib_fatal);
  g_test_add_func ("/common/log/gone-reader", test_gone_reader);
  g_test_add_func ("/common/log/whole-lines", test_whole_lines);
  result = g_test_run ();
  g_free (last_line);
  return result;
}
