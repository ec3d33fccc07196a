/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/config.h"
#include "dubbing_common/error.h"
#include "dubbing_common/log.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  char *name, *url, *token;
  gint64 delay_ms, grace_ms;
  double level_db;
  gboolean is_on;
  int mode;
} Settings;

static const char *const modes[] = {"vad", "fixed", NULL};
static const char *const schemes[] = {"rtmp", "srt", NULL};

#define FIELD(name) G_STRUCT_OFFSET (Settings, name)

static const DubOption options[] = {
    {"name", "NAME", DUB_OPTION_STRING, FIELD (name), NULL, .min = 2, .max = 8,
        .help = "A name"},
    {"url", "URL", DUB_OPTION_URL, FIELD (url), "rtmp://h/live/a/in",
        .choices = schemes, .help = "Where from"},
    {"token", "TOKEN", DUB_OPTION_SECRET, FIELD (token), NULL, .max = 16,
        .help = "A secret"},
    {"delay-ms", "DELAY_MS", DUB_OPTION_INT, FIELD (delay_ms), "8000",
        .min = 3000, .max = 30000, .unit = "ms", .help = "How much later"},
    {"grace", "GRACE", DUB_OPTION_DURATION, FIELD (grace_ms), "30s",
        .max = 300000, .help = "How long to wait"},
    {"level-db", "LEVEL_DB", DUB_OPTION_DOUBLE, FIELD (level_db), "-50",
        .min = -100, .max = 0, .unit = "dB", .help = "Silence"},
    {"on", "ON", DUB_OPTION_BOOL, FIELD (is_on), "no", .help = "Whether"},
    {"mode", "MODE", DUB_OPTION_CHOICE, FIELD (mode), "vad", .choices = modes,
        .help = "How"},
    {NULL},
};

static gboolean
load (Settings *settings, const char *const *words, const char *const *env,
    GError **error)
{
  g_auto (GStrv) owned = g_strdupv ((char **) words);
  g_autofree char **argv =
      g_memdup2 (owned, (g_strv_length (owned) + 1) * sizeof *owned);
  int argc = (int) g_strv_length (owned);

  return dub_config_load (
      options, settings, &argc, &argv, (char **) env, error);
}

#define WORDS(...) ((const char *const[]){"program", __VA_ARGS__})
#define ENV(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
test_defaults (void)
{
  Settings s = {0};
  g_autoptr (GError) error = NULL;

  g_assert_true (load (&s, WORDS (NULL), ENV (NULL), &error));
  g_assert_null (s.name);
  g_assert_cmpstr (s.url, ==, "rtmp://h/live/a/in");
  g_assert_cmpint (s.delay_ms, ==, 8000);
  g_assert_cmpint (s.grace_ms, ==, 30000);
  g_assert_cmpfloat (s.level_db, ==, -50);
  g_assert_false (s.is_on);
  g_assert_cmpint (s.mode, ==, 0);
  dub_config_clear (options, &s);
  g_assert_null (s.url);
}

static void
test_order (void)
{
  Settings s = {0};
  g_autoptr (GError) error = NULL;

  g_assert_true (load (&s, WORDS ("--delay-ms=4000", "--name=", NULL),
      ENV ("DELAY_MS=5000", "NAME=env", "MODE=", "GRACE=2m"), &error));
  g_assert_cmpint (s.delay_ms, ==, 4000);
  g_assert_cmpstr (s.name, ==, "env"); /* an empty value is no value */
  g_assert_cmpint (s.mode, ==, 0);
  g_assert_cmpint (s.grace_ms, ==, 120000);
  dub_config_clear (options, &s);
}

static void
test_words (void)
{
  char *words[] = {(char *) "program", (char *) "run", (char *) "--on",
      (char *) "--delay-ms", (char *) "3000", (char *) "--help", (char *) "-",
      (char *) "--", (char *) "--name=x", NULL};
  char **argv = words;
  int argc = G_N_ELEMENTS (words) - 1;
  Settings s = {0};
  g_autoptr (GError) error = NULL;

  g_assert_true (dub_config_load (options, &s, &argc, &argv, NULL, &error));
  g_assert_cmpint (argc, ==, 5);
  g_assert_cmpstr (argv[1], ==, "run");
  g_assert_cmpstr (argv[2], ==, "--help");
  g_assert_cmpstr (argv[3], ==, "-");
  g_assert_cmpstr (argv[4], ==, "--name=x");
  g_assert_null (argv[5]);
  g_assert_true (s.is_on);
  g_assert_cmpint (s.delay_ms, ==, 3000);
  dub_config_clear (options, &s);
}

typedef struct {
  const char *word, *env;
  const char *message[3]; /* what the message must name */
} BadCase;

static const BadCase bad[] = {
    {"--nope=1", NULL, {"--nope", "--help"}},
    {"-d", NULL, {"-d"}},
    {"--delay-ms", NULL, {"DELAY_MS", "missing"}},
    {"--delay-ms=2999", NULL, {"DELAY_MS", "\"2999\"", "3000 to 30000 ms"}},
    {NULL, "DELAY_MS=30001", {"DELAY_MS", "30001", "3000 to 30000 ms"}},
    {NULL, "DELAY_MS= 4000", {"DELAY_MS", "whole number", "30000"}},
    {NULL, "DELAY_MS=4e3", {"DELAY_MS", "whole number", "30000"}},
    {NULL, "DELAY_MS=99999999999999999999", {"DELAY_MS"}},
    {NULL, "LEVEL_DB=1", {"LEVEL_DB", "\"1\"", "-100 to 0 dB"}},
    {NULL, "LEVEL_DB=nan", {"LEVEL_DB", "number", "-100 to 0 dB"}},
    {NULL, "LEVEL_DB=-0x1p3", {"LEVEL_DB", "number"}},
    {NULL, "ON=maybe", {"ON", "\"maybe\"", "true or false"}},
    {NULL, "MODE=none", {"MODE", "\"none\"", "vad or fixed"}},
    {NULL, "URL=ftp://h/x", {"URL", "ftp://h/x", "rtmp or srt"}},
    {NULL, "URL=rtmp://", {"URL", "rtmp or srt"}},
    {NULL, "URL=host", {"URL", "host", "rtmp or srt"}},
    {NULL, "NAME=x", {"NAME", "\"x\"", "2 to 8 characters"}},
    {NULL, "NAME=123456789", {"NAME", "2 to 8 characters"}},
    {NULL, "NAME=a\xff", {"NAME", "UTF-8"}},
    {NULL, "GRACE=1d", {"GRACE", "\"1d\"", "0s to 5m"}},
    {NULL, "GRACE=-1s", {"GRACE", "\"-1s\"", "0s to 5m"}},
    {NULL, "GRACE=6m", {"GRACE", "out of range", "0s to 5m"}},
    {NULL, "TOKEN_FILE=/nonexistent", {"TOKEN_FILE", "/nonexistent"}},
    {"--token=s3cret", NULL, {"--token", "TOKEN_FILE"}},
};

static void
test_bad (gconstpointer data)
{
  const BadCase *c = data;
  Settings s = {0};
  g_autoptr (GError) error = NULL;

  g_assert_false (load (&s, WORDS (c->word, NULL), ENV (c->env), &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  for (gsize i = 0; i < G_N_ELEMENTS (c->message) && c->message[i]; i++)
    if (strstr (error->message, c->message[i]) == NULL)
      g_error ("\"%s\" does not name %s", error->message, c->message[i]);
  g_assert_null (s.url); /* nothing is left half filled */
}

static void
test_secret_is_not_told (void)
{
  Settings s = {0};
  g_autoptr (GError) error = NULL;
  g_autofree char *summary = NULL;

  g_assert_false (
      load (&s, WORDS (NULL), ENV ("TOKEN=very-secret-and-too-long"), &error));
  g_assert_null (strstr (error->message, "very"));
  g_clear_error (&error);
  g_assert_false (
      /* pragma: allowlist nextline secret */
      load (&s, WORDS (NULL), ENV ("URL=http://u:pw@h/key?token=abc"), &error));
  g_assert_null (strstr (error->message, "pw"));
  g_assert_null (strstr (error->message, "abc"));
  g_clear_error (&error);
  g_assert_true (load (
      &s, WORDS (NULL), ENV ("TOKEN=s3cret", "URL=rtmp://h/app/key"), &error));
  summary = dub_config_summary (options, &s);
  g_assert_cmpstr (summary, ==,
      "NAME=\nURL=rtmp://h/app/***\nTOKEN=***\nDELAY_MS=8000\nGRACE=30s\n"
      "LEVEL_DB=-50\nON=false\nMODE=vad\n");
  dub_config_clear (options, &s);
}

static void
test_secret_file (void)
{
  g_autofree char *path = g_strdup ("/tmp/dub-config-XXXXXX");
  g_autofree char *env = NULL;
  g_autoptr (GError) error = NULL;
  Settings s = {0};
  int fd = g_mkstemp (path);

  g_assert_cmpint (write (fd, "abc\r\nmore", 9), ==, 9);
  close (fd);
  env = g_strconcat ("TOKEN_FILE=", path, NULL);
  g_assert_true (load (&s, WORDS (NULL), ENV (env, "TOKEN="), &error));
  g_assert_cmpstr (s.token, ==, "abc");
  dub_config_clear (options, &s);
  g_assert_false (load (&s, WORDS (NULL), ENV (env, "TOKEN=x"), &error));
  g_assert_nonnull (strstr (error->message, "TOKEN and TOKEN_FILE"));
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (path, "\n", 1, NULL));
  g_assert_false (load (&s, WORDS (NULL), ENV (env), &error));
  g_assert_nonnull (strstr (error->message, "empty"));
  g_unlink (path);
}

static void
test_durations (void)
{
  static const struct {
    const char *text;
    gint64 ms; /* -1: refused */
  } cases[] = {{"0", 0}, {"30", 30000}, {"1.5", 1500}, {"30s", 30000},
      {"500ms", 500}, {"1m30s", 90000}, {"0.5m", 30000}, {"4m59.999s", 299999},
      {"s", -1}, {"1s1", -1}, {"1..5s", -1}, {"1 s", -1}, {"1sm", -1},
      {"1e1s", -1}};

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    Settings s = {.grace_ms = -1};

    dub_config_set (options, &s, "GRACE", cases[i].text, NULL);
    g_assert_cmpint (s.grace_ms, ==, cases[i].ms);
  }
}

/* A range is told as a value may be written. */
static void
test_duration_range (void)
{
  static const struct {
    double min, max;
    const char *text;
  } cases[] = {{0, 300000, "wait (0s to 5m)\n"},
      {100, 120000, "wait (100ms to 2m)\n"},
      {1000, 3600000, "wait (1s to 60m)\n"}, {0, 90000, "wait (0s to 90s)\n"},
      {0, 0, "wait\n"}};

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    DubOption table[] = {{"a", "A", DUB_OPTION_DURATION, .min = cases[i].min,
                             .max = cases[i].max, .help = "wait"},
        {NULL}};
    g_autofree char *text = dub_config_help (table, "program", "Waits.");

    g_assert_nonnull (strstr (text, cases[i].text));
  }
}

static void
test_set (void)
{
  Settings s = {0};
  g_autoptr (GError) error = NULL;

  g_assert_true (dub_config_set (options, &s, "NAME", "one", &error));
  g_assert_true (dub_config_set (options, &s, "name", "two", &error));
  g_assert_cmpstr (s.name, ==, "two");
  g_assert_false (dub_config_set (options, &s, "name", "x", &error));
  g_assert_cmpstr (s.name, ==, "two"); /* a failure changes nothing */
  g_clear_error (&error);
  g_assert_false (dub_config_set (options, &s, "Name", "two", &error));
  g_assert_nonnull (strstr (error->message, "\"Name\""));
  g_clear_error (&error);
  g_assert_true (dub_config_set (options, &s, "MODE", "FIXED", &error));
  g_assert_cmpint (s.mode, ==, 1);
  g_assert_true (dub_config_set (options, &s, "MODE", "", &error));
  g_assert_cmpint (s.mode, ==, 0);
  g_assert_true (dub_config_set (options, &s, "name", NULL, &error));
  g_assert_null (s.name);
  dub_config_clear (options, &s);
}

static void
test_texts (void)
{
  g_autofree char *help = dub_config_help (options, "program", "Does it.");
  g_autofree char *example = dub_config_env_example (options, "program");

  g_assert_nonnull (
      strstr (help, "  --delay-ms=N  DELAY_MS\n"
                    "      How much later (3000 to 30000 ms; default 8000)\n"));
  g_assert_nonnull (strstr (help, "TOKEN or TOKEN_FILE"));
  g_assert_nonnull (strstr (example, "\n# How (vad or fixed)\nMODE=vad\n"));
  g_assert_nonnull (strstr (example, "\nTOKEN=\n"));
}

/* The example is itself a valid environment: that of the defaults. */
static void
test_example_loads (void)
{
  g_autofree char *example = dub_config_env_example (options, "program");
  g_auto (GStrv) lines = g_strsplit (example, "\n", -1);
  g_autofree char *summary = NULL;
  g_autofree char *defaults = NULL;
  g_autoptr (GError) error = NULL;
  Settings s = {0}, d = {0};

  g_assert_true (load (&s, WORDS (NULL), (const char *const *) lines, &error));
  g_assert_true (load (&d, WORDS (NULL), ENV (NULL), &error));
  summary = dub_config_summary (options, &s);
  defaults = dub_config_summary (options, &d);
  g_assert_cmpstr (summary, ==, defaults);
  dub_config_clear (options, &s);
  dub_config_clear (options, &d);
}

typedef struct {
  int level, format;
} LogSettings;

static const DubOption log_options[] = {
    DUB_LOG_OPTIONS (LogSettings, level, format),
    {NULL},
};

/* Each word of the table is the level that the log knows by that name. */
static void
test_log_level (gconstpointer data)
{
  const char *word = data;
  g_autofree char *line = g_strdup_printf ("LOG_LEVEL=%s", word);
  LogSettings s = {0};
  DubLogLevel level = DUB_LOG_NONE;
  g_autoptr (GError) error = NULL;

  g_assert_true (dub_config_load (
      log_options, &s, NULL, NULL, (char **) ENV (line), &error));
  g_assert_no_error (error);
  g_assert_true (dub_log_level_parse (word, &level));
  g_assert_cmpint (s.level + 1, ==, level);
  g_assert_cmpint (s.format, ==, DUB_LOG_AUTO);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/config/defaults", test_defaults);
  g_test_add_func ("/common/config/order", test_order);
  g_test_add_func ("/common/config/words", test_words);
  g_test_add_func (
      "/common/config/secret-is-not-told", test_secret_is_not_told);
  g_test_add_func ("/common/config/secret-file", test_secret_file);
  g_test_add_func ("/common/config/durations", test_durations);
  g_test_add_func ("/common/config/duration-range", test_duration_range);
  g_test_add_func ("/common/config/set", test_set);
  g_test_add_func ("/common/config/texts", test_texts);
  g_test_add_func ("/common/config/example-loads", test_example_loads);
  for (gsize i = 0; dub_log_level_names[i] != NULL; i++) {
    g_autofree char *path =
        g_strdup_printf ("/common/config/log-level/%s", dub_log_level_names[i]);
    g_test_add_data_func (path, dub_log_level_names[i], test_log_level);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *path =
        g_strdup_printf ("/common/config/bad/%" G_GSIZE_FORMAT, i);

    g_test_add_data_func (path, &bad[i], test_bad);
  }
  return g_test_run ();
}
