/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/config.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct {
  char *text, *url, *secret;
  gint64 integer, duration_ms;
  double number;
  gboolean is_on;
  int choice;
} Settings;

static const char *const colours[] = {"red", "green", NULL};
static const char *const schemes[] = {"rtmp", "srt", NULL};

#define FIELD(name) G_STRUCT_OFFSET (Settings, name)

static const DubOption options[] = {
    {"text", "TEXT", DUB_OPTION_STRING, FIELD (text), NULL, .max = 9},
    {"url", "URL", DUB_OPTION_URL, FIELD (url), NULL, .choices = schemes},
    {"secret", "SECRET", DUB_OPTION_SECRET, FIELD (secret), NULL},
    {"integer", "INTEGER", DUB_OPTION_INT, FIELD (integer), "1", -5, 5},
    {"duration", "DURATION", DUB_OPTION_DURATION, FIELD (duration_ms), "1s"},
    {"number", "NUMBER", DUB_OPTION_DOUBLE, FIELD (number), "0", 0, 1},
    {"on", "ON", DUB_OPTION_BOOL, FIELD (is_on), "no"},
    {"choice", "CHOICE", DUB_OPTION_CHOICE, FIELD (choice), "red",
        .choices = colours},
    {NULL},
};

/* Lines of NAME=value. Whatever was taken must be in range and be shown. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", 64);
  g_autofree char *summary = NULL;
  Settings settings = {0};

  for (gsize i = 0; lines[i] != NULL; i++) {
    char *equals = strchr (lines[i], '=');
    g_autoptr (GError) error = NULL;

    if (equals != NULL)
      *equals = '\0';
    if (!dub_config_set (options, &settings, lines[i],
            equals != NULL ? equals + 1 : NULL, &error))
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
  }
  g_assert_true (settings.integer >= -5 && settings.integer <= 5);
  g_assert_true (settings.number >= 0 && settings.number <= 1);
  g_assert_true (settings.choice >= 0 && settings.choice <= 1);
  g_assert_cmpint (settings.duration_ms, >=, 0);
  summary = dub_config_summary (options, &settings);
  g_assert_true (g_utf8_validate (summary, -1, NULL));
  dub_config_clear (options, &settings);
  return 0;
}
