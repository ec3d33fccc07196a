/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <dubbing_common/error.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct _DubProcess {
  int pid, pidfd;
  gboolean is_child;
  guint watch_id;
  DubProcessExited exited;
  gpointer user_data;
};

static int
pidfd_open (int pid)
{
  return (int) syscall (SYS_pidfd_open, pid, 0);
}

/* (transfer full) */
static char *
reap (DubProcess *self)
{
  siginfo_t info = {0};

  if (!self->is_child ||
      waitid (P_PID, (id_t) self->pid, &info, WEXITED | WNOHANG) != 0)
    return g_strdup ("unknown");
  if (info.si_code == CLD_EXITED)
    return g_strdup_printf ("exit %d", info.si_status);
  return g_strdup_printf ("signal %d", info.si_status);
}

/* A pidfd becomes readable when its process has ended. */
static gboolean
on_ended (int fd, GIOCondition condition, gpointer user_data)
{
  DubProcess *self = user_data;
  g_autofree char *how = reap (self);

  self->watch_id = 0;
  self->exited (self, how, self->user_data);
  return G_SOURCE_REMOVE;
}

static DubProcess *
process_new (int pid, gboolean is_child, DubProcessExited exited,
    gpointer user_data, GError **error)
{
  int pidfd = pidfd_open (pid);
  DubProcess *self;

  if (pidfd < 0) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_UNAVAILABLE,
        "process %d cannot be watched: %s", pid, g_strerror (errno));
    return NULL;
  }
  self = g_new0 (DubProcess, 1);
  self->pid = pid;
  self->pidfd = pidfd;
  self->is_child = is_child;
  self->exited = exited;
  self->user_data = user_data;
  self->watch_id = g_unix_fd_add (pidfd, G_IO_IN, on_ended, self);
  return self;
}

DubProcess *
dub_process_adopt (
    int pid, DubProcessExited exited, gpointer user_data, GError **error)
{
  return process_new (pid, FALSE, exited, user_data, error);
}

static int
spawn_with_stdin (const char *const *argv, const char *const *environment,
    int stdin_fd, int *ret_pid)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int cause;

  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_adddup2 (&actions, stdin_fd, STDIN_FILENO);
  posix_spawnattr_init (&attributes);
  posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSID);
  cause = posix_spawnp (ret_pid, argv[0], &actions, &attributes, (char **) argv,
      (char **) environment);
  posix_spawnattr_destroy (&attributes);
  posix_spawn_file_actions_destroy (&actions);
  return cause;
}

DubProcess *
dub_process_spawn (const char *const *argv, const char *const *environment,
    const char *input, DubProcessExited exited, gpointer user_data,
    GError **error)
{
  gsize length = strlen (input);
  int ends[2], pid = 0, cause;

  /* It must fit into the pipe, as nobody waits here for the child to read. */
  g_return_val_if_fail (length <= DUB_PROCESS_MAX_INPUT, NULL);
  if (!g_unix_open_pipe (ends, FD_CLOEXEC, error))
    return NULL;
  if (write (ends[1], input, length) != (gssize) length)
    g_warn_if_reached ();
  close (ends[1]);
  cause = spawn_with_stdin (argv, environment, ends[0], &pid);
  close (ends[0]);
  if (cause != 0) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "%s cannot be started: %s", argv[0], g_strerror (cause));
    return NULL;
  }
  return process_new (pid, TRUE, exited, user_data, error);
}

void
dub_process_free (DubProcess *process)
{
  if (process == NULL)
    return;
  if (process->watch_id != 0)
    g_source_remove (process->watch_id);
  close (process->pidfd);
  g_free (process);
}

int
dub_process_get_pid (DubProcess *process)
{
  g_return_val_if_fail (process != NULL, 0);
  return process->pid;
}

void
dub_process_signal (DubProcess *process, int signal_number)
{
  g_return_if_fail (process != NULL);
  syscall (SYS_pidfd_send_signal, process->pidfd, signal_number, NULL, 0);
}
