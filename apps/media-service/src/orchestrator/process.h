/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A process that is not ours to lose: in a session of its own, so that no
 * signal of our terminal reaches it, watched with a pidfd, so that a number
 * that was given to another process is never signalled. It lives on when the
 * object is freed, and when we end.
 *
 * Thread: the default main context. exited is called once, unless the object
 * is freed before; it may free it.
 */
G_BEGIN_DECLS

typedef struct _DubProcess DubProcess;

/* how: "exit 78", "signal 9", or "unknown" of one that is not our child. */
typedef void (*DubProcessExited) (
    DubProcess *process, const char *how, gpointer user_data);

/* input: written to its standard input, which then ends; at most
 * DUB_PROCESS_MAX_INPUT bytes. environment as from g_get_environ (). */
#define DUB_PROCESS_MAX_INPUT 32768
DubProcess *dub_process_spawn (const char *const *argv,
    const char *const *environment, const char *input, DubProcessExited exited,
    gpointer user_data, GError **error);
DubProcess *dub_process_adopt (
    int pid, DubProcessExited exited, gpointer user_data, GError **error);
void dub_process_free (DubProcess *process);

int dub_process_get_pid (DubProcess *process);
void dub_process_signal (DubProcess *process, int signal_number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubProcess, dub_process_free)

G_END_DECLS
