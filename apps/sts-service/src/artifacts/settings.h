/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/config.h>

/*
 * The settings of debug artifacts. S is the program's struct, m the member of
 * this type in it.
 */
G_BEGIN_DECLS

typedef struct {
  gboolean is_on;
  char *dir;
  gint64 retention_hours;
  gint64 max_count;
  gint64 max_mib;
} DubArtifactsOptions;

/* S is a type and m a member: neither can stand in brackets. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
/* clang-format off */
#define DUB_ARTIFACTS_OPTIONS(S, m)                                            \
  { DUB_OPTION_ROW (S, m, "debug-artifacts", "DEBUG_ARTIFACTS", BOOL, is_on,   \
        "false"),                                                              \
    .help = "Keep what goes in and comes out of each fragment, sound and "     \
            "text, as files" },                                                \
  { DUB_OPTION_ROW (S, m, "artifacts-dir", "ARTIFACTS_DIR", STRING, dir,       \
        ".artifacts/sts"), .help = "Where" },                                  \
  { DUB_OPTION_ROW (S, m, "artifacts-retention-hours",                         \
        "ARTIFACTS_RETENTION_HOURS", INT, retention_hours, "24"), .min = 1,    \
    .max = 8760, .unit = "h", .help = "Older ones are removed" },              \
  { DUB_OPTION_ROW (S, m, "artifacts-max-count", "ARTIFACTS_MAX_COUNT", INT,   \
        max_count, "1000"), .min = 1, .max = 100000, .unit = "fragments",      \
    .help = "So many are kept at most" },                                      \
  { DUB_OPTION_ROW (S, m, "artifacts-max-mib", "ARTIFACTS_MAX_MIB", INT,       \
        max_mib, "512"), .min = 1, .max = 1048576, .unit = "MiB",              \
    .help = "And they take so much at most" }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

G_END_DECLS
