/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/config.h>
#include <gio/gio.h>

/*
 * What the made-up engines of tests are built on: so many at work at once,
 * each for so long, some failing. What waits is served by its deadline, and
 * gets DUB_ERROR_TIMEOUT when that passes, as with a real engine.
 *
 * Main thread only; done is called exactly once, later, and not at all after
 * cancel.
 */
G_BEGIN_DECLS

typedef struct {
  gint64 latency_ms;
  gint64 slots; /* at work at once */
  gint64 failure_percent;
  int failure; /* of dub_mock_failures */
} DubMockOptions;

extern const char *const dub_mock_failures[];

/* S is a type and m a member: neither can stand in brackets. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
/* clang-format off */
#define DUB_MOCK_OPTIONS(S, m)                                                 \
  { DUB_OPTION_ROW (S, m, "mock-latency-ms", "MOCK_LATENCY_MS", INT,           \
        latency_ms, "0"), .min = 0, .max = 60000, .unit = "ms",                \
    .help = "Tests: how long each mock engine takes" },                        \
  { DUB_OPTION_ROW (S, m, "mock-slots", "MOCK_SLOTS", INT, slots, "1"),        \
    .min = 1, .max = 1000,                                                     \
    .help = "Tests: how many fragments a mock engine does at once" },          \
  { DUB_OPTION_ROW (S, m, "mock-failure-percent", "MOCK_FAILURE_PERCENT", INT, \
        failure_percent, "0"), .min = 0, .max = 100, .unit = "%",              \
    .help = "Tests: how many of a mock engine's requests fail" },              \
  { DUB_OPTION_ROW (S, m, "mock-failure", "MOCK_FAILURE", CHOICE, failure,     \
        "memory_error"), .choices = dub_mock_failures,                         \
    .help = "Tests: how they fail" }
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

typedef struct _DubMockPool DubMockPool;

/* error: NULL, and the mock may answer. */
typedef void (*DubMockDoneFunc) (const GError *error, gpointer call);

/* options: (nullable): at once, one at a time. */
DubMockPool *dub_mock_pool_new (const DubMockOptions *options);
/* Calls that are left are freed by free_call. */
void dub_mock_pool_free (DubMockPool *self, GDestroyNotify free_call);
guint64 dub_mock_pool_begin (
    DubMockPool *self, gint64 deadline_ns, DubMockDoneFunc done, gpointer call);
/* Gives the call back, or NULL. */
gpointer dub_mock_pool_cancel (DubMockPool *self, guint64 id);
guint dub_mock_pool_get_depth (DubMockPool *self);

G_END_DECLS
