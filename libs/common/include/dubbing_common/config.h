/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * One table of options per program. It makes the parser, --help, the summary
 * that is printed at start and .env.example, so that they cannot disagree.
 *
 * A value comes from, in this order: the command line (--output-delay-ms=N),
 * the environment (OUTPUT_DELAY_MS), the default. An empty value is an unset
 * one. An unknown option, or a value that does not parse or lies outside its
 * range, stops the start with DUB_ERROR_INVALID and a message that names
 * variable, value and range; a program then exits with EX_CONFIG (78).
 *
 *   static const DubOption options[] = {
 *     { "output-delay-ms", "OUTPUT_DELAY_MS", DUB_OPTION_INT,
 *       G_STRUCT_OFFSET (Settings, output_delay_ms), "8000",
 *       .min = 3000, .max = 30000, .unit = "ms",
 *       .help = "How much later the programme leaves than it came" },
 *     { NULL }
 *   };
 *
 * The settings struct is zeroed by the caller, filled by dub_config_load ()
 * and immutable from then on. Not thread-safe; at start only.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_OPTION_NONE = 0,
  DUB_OPTION_STRING,   /* char *; min, max bound its length when max > 0 */
  DUB_OPTION_INT,      /* gint64 */
  DUB_OPTION_DOUBLE,   /* double */
  DUB_OPTION_BOOL,     /* gboolean: true/false, yes/no, on/off, 1/0 */
  DUB_OPTION_CHOICE,   /* int: index into choices */
  DUB_OPTION_URL,      /* char *; its scheme is one of choices */
  DUB_OPTION_SECRET,   /* char *; shown as "***"; env NAME_FILE names a file;
                        * refused on the command line, which all can read */
  DUB_OPTION_DURATION, /* gint64 ms: "30s", "500ms", "1m30s", "2h"; a bare
                        * number counts seconds; min and max in ms */
} DubOptionType;

typedef struct {
  const char *name; /* on the command line, without the dashes */
  const char *env;
  DubOptionType type;
  gsize offset;
  const char *fallback; /* the default, as text; NULL: unset */
  double min, max;      /* numbers: inclusive; both 0: no limit */
  const char *const *choices;
  const char *unit;
  const char *help;
} DubOption;

/* The members that every row has, for a setting that lies in member m of the
 * struct S: so that a part of a program can bring its rows as a macro, and
 * the program says where they lie in its own struct. */
/* S is a type and m a member: neither can stand in brackets. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define DUB_OPTION_ROW(S, m, option, variable, kind, field, text)              \
  DUB_OPTION_ROW_AT (S, option, variable, kind, m.field, text)

/* The same for a setting that lies in S itself. */
#define DUB_OPTION_ROW_AT(S, option, variable, kind, field, text)              \
  .name = option, .env = variable, .type = DUB_OPTION_##kind,                  \
  .offset = G_STRUCT_OFFSET (S, field), .fallback = text

/* The rows of the log, for two ints of S; dub_log_init () takes them as
 * (DubLogLevel) (level + 1) and (DubLogFormat) format. */
#define DUB_LOG_OPTIONS(S, level, format)                                      \
  {DUB_OPTION_ROW_AT (S, "log-level", "LOG_LEVEL", CHOICE, level, "info"),     \
      .choices = dub_log_level_names, .help = "What is logged"},               \
  {                                                                            \
    DUB_OPTION_ROW_AT (S, "log-format", "LOG_FORMAT", CHOICE, format, "auto"), \
        .choices = dub_log_format_names,                                       \
        .help = "auto: text on a terminal, else JSON lines"                    \
  }
/* NOLINTEND(bugprone-macro-parentheses) */

extern const char *const dub_log_level_names[];
extern const char *const dub_log_format_names[];

/*
 * Fills settings. Takes what it knows out of argv (argv may be NULL): as
 * --name=value, --name value, and --name alone for a BOOL. It leaves words
 * without dashes, all that follows "--", and --help, -h and --version, which
 * are the program's own. environment is as from g_get_environ (), or NULL. On
 * failure settings is cleared again.
 */
gboolean dub_config_load (const DubOption *options, gpointer settings,
    int *argc, char ***argv, char **environment, GError **error);
/* One value by option or variable name, as from a JSON settings object. An
 * empty or NULL value brings the default back. A failure changes nothing. */
gboolean dub_config_set (const DubOption *options, gpointer settings,
    const char *name, const char *value, GError **error);
void dub_config_clear (const DubOption *options, gpointer settings);

/* (transfer full) each */
char *dub_config_help (
    const DubOption *options, const char *program, const char *what_it_is);
/* NAME=value, a line each, secrets as "***". */
char *dub_config_summary (const DubOption *options, gconstpointer settings);
char *dub_config_env_example (const DubOption *options, const char *program);

G_END_DECLS
