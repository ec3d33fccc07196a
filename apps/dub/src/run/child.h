/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/*
 * A program of ours as a child: in a session of its own, so that Ctrl-C
 * reaches us alone and we end it in order; ended by the kernel when we are
 * killed. What it says on standard error goes to a file.
 *
 * The thread of the default main context.
 */
G_BEGIN_DECLS

typedef struct _DubChild DubChild;

/* how: "exit 0", "signal 9" */
typedef void (*DubChildExitFunc) (
    DubChild *child, int status, const char *how, gpointer user_data);

typedef struct {
  const char *name;
  const char *const *argv;
  const char *const *environment;
  const char *input; /* (nullable): its standard input, at most 64 KiB */
  const char *log;   /* path */
} DubChildSettings;

/* on_exit is not called any more after free. */
DubChild *dub_child_new (const DubChildSettings *settings,
    DubChildExitFunc on_exit, gpointer user_data, GError **error);
/* Ends it: asks, and after 5 s does not ask any more. Returns when it is
 * gone. */
void dub_child_free (DubChild *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubChild, dub_child_free)

/* SIGTERM; on_exit follows. */
void dub_child_ask_to_end (DubChild *self);
gboolean dub_child_has_ended (const DubChild *self);
/* What it writes on standard output. (transfer none) */
GInputStream *dub_child_get_output (DubChild *self);
/* The last lines of its log, or "". (transfer full) */
char *dub_child_last_words (const DubChild *self);

G_END_DECLS
