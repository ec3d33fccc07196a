/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"
#include "json_text.h"
#include "reader.h"

#include <dubbing_common/error.h>
#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* How much one wake-up reads, so that a busy peer leaves time for others. */
#define READ_BYTES 65536

struct _DubControlPeer {
  int ref_count; /* one for the user, one for each dispatch under way */
  int fd;        /* -1: closed */
  const DubControlPeerFuncs *funcs; /* NULL: freed by the user */
  gpointer user_data;
  DubControlReader *reader;
  GString *pending;
  GSource *read_source, *write_source;
  GMainContext *context;
};

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
peer_close (DubControlPeer *self)
{
  clear_source (&self->read_source);
  clear_source (&self->write_source);
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

static void
peer_unref (DubControlPeer *self)
{
  if (--self->ref_count > 0)
    return;
  peer_close (self);
  dub_control_reader_free (self->reader);
  g_string_free (self->pending, TRUE);
  g_main_context_unref (self->context);
  g_free (self);
}

static void
peer_lost (DubControlPeer *self)
{
  const DubControlPeerFuncs *funcs = self->funcs;

  if (self->fd < 0)
    return;
  peer_close (self);
  if (funcs != NULL)
    funcs->closed (self, self->user_data);
}

static void
deliver (DubControlPeer *self)
{
  while (self->funcs != NULL && self->fd >= 0) {
    g_autoptr (GError) error = NULL;
    g_autoptr (JsonObject) message = NULL;

    if (!dub_control_reader_next (self->reader, &message, &error))
      return;
    if (message != NULL)
      self->funcs->message (self, message, self->user_data);
    else if (self->funcs->garbage != NULL)
      self->funcs->garbage (self, error, self->user_data);
  }
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  DubControlPeer *self = user_data;
  g_autofree char *data = g_malloc (READ_BYTES);
  gssize n = recv (fd, data, READ_BYTES, 0);

  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return G_SOURCE_CONTINUE;
  self->ref_count++;
  if (n <= 0) {
    peer_lost (self);
  } else {
    dub_control_reader_feed (self->reader, data, (gsize) n);
    deliver (self);
  }
  peer_unref (self);
  return G_SOURCE_CONTINUE; /* a closed one was destroyed above */
}

static GSource *
watch (DubControlPeer *self, GIOCondition condition, GUnixFDSourceFunc func)
{
  GSource *source = g_unix_fd_source_new (self->fd, condition);

  g_source_set_callback (source, G_SOURCE_FUNC (func), self, NULL);
  g_source_attach (source, self->context);
  return source;
}

/* FALSE: the connection is broken. */
static gboolean
flush (DubControlPeer *self)
{
  while (self->pending->len > 0) {
    gssize n = send (self->fd, self->pending->str, self->pending->len,
        MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno == EAGAIN || errno == EWOULDBLOCK;
    g_string_erase (self->pending, 0, n);
  }
  return TRUE;
}

static gboolean
on_writable (int fd, GIOCondition condition, gpointer user_data)
{
  DubControlPeer *self = user_data;

  self->ref_count++;
  if (!flush (self))
    peer_lost (self);
  else if (self->pending->len == 0)
    clear_source (&self->write_source);
  peer_unref (self);
  return G_SOURCE_CONTINUE;
}

DubControlPeer *
dub_control_peer_new (int fd, gsize max_line_bytes,
    const DubControlPeerFuncs *funcs, gpointer user_data)
{
  DubControlPeer *self;

  g_return_val_if_fail (fd >= 0 && funcs != NULL, NULL);
  self = g_new0 (DubControlPeer, 1);
  self->ref_count = 1;
  self->fd = fd;
  self->funcs = funcs;
  self->user_data = user_data;
  self->reader = dub_control_reader_new (max_line_bytes);
  self->pending = g_string_new (NULL);
  self->context = g_main_context_ref_thread_default ();
  self->read_source = watch (self, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable);
  return self;
}

void
dub_control_peer_free (DubControlPeer *peer)
{
  if (peer == NULL)
    return;
  peer->funcs = NULL;
  peer_close (peer);
  peer_unref (peer);
}

gboolean
dub_control_peer_send (DubControlPeer *peer, JsonObject *message)
{
  g_autofree char *line = dub_json_object_to_line (message);

  g_return_val_if_fail (peer != NULL, FALSE);
  if (peer->fd < 0)
    return FALSE;
  g_string_append (peer->pending, line);
  g_string_append_c (peer->pending, '\n');
  /* A loss is found and told by the next read, never from within a send. */
  if (!flush (peer) || peer->pending->len > DUB_CONTROL_MAX_PENDING) {
    shutdown (peer->fd, SHUT_RDWR);
    g_string_truncate (peer->pending, 0);
    return FALSE;
  }
  if (peer->pending->len > 0 && peer->write_source == NULL)
    peer->write_source = watch (peer, G_IO_OUT, on_writable);
  return TRUE;
}

int
dub_control_peer_get_pid (DubControlPeer *peer)
{
  struct ucred who = {0};
  socklen_t length = sizeof who;

  g_return_val_if_fail (peer != NULL, 0);
  if (peer->fd < 0 ||
      getsockopt (peer->fd, SOL_SOCKET, SO_PEERCRED, &who, &length) != 0)
    return 0;
  return who.pid;
}

static gboolean
fill_address (struct sockaddr_un *address, const char *path, GError **error)
{
  address->sun_family = AF_UNIX;
  if (g_strlcpy (address->sun_path, path, sizeof address->sun_path) <
      sizeof address->sun_path)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
      "%s: the path of a socket has at most %d bytes", path,
      (int) sizeof address->sun_path - 1);
  return FALSE;
}

static int
fail_errno (int fd, const char *path, const char *what, GError **error)
{
  int cause = errno;
  DubErrorCode code = cause == ECONNREFUSED || cause == ENOENT ||
                              cause == EAGAIN || cause == EADDRINUSE
                          ? DUB_ERROR_UNAVAILABLE
                          : DUB_ERROR_INVALID;

  if (fd >= 0)
    close (fd);
  g_set_error (
      error, DUB_ERROR, code, "%s: %s: %s", path, what, g_strerror (cause));
  return -1;
}

static int
new_socket (void)
{
  return socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int
dub_control_connect (const char *path, GError **error)
{
  struct sockaddr_un address = {0};
  int fd;

  if (!fill_address (&address, path, error))
    return -1;
  fd = new_socket ();
  if (fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) != 0)
    return fail_errno (fd, path, "cannot connect", error);
  return fd;
}

/* A file that a dead process left behind goes; a living owner keeps it. */
static void
remove_stale (const char *path)
{
  int fd = dub_control_connect (path, NULL);

  if (fd >= 0)
    close (fd);
  else if (errno == ECONNREFUSED)
    unlink (path);
}

int
dub_control_listen (const char *path, GError **error)
{
  struct sockaddr_un address = {0};
  int fd;

  if (!fill_address (&address, path, error))
    return -1;
  remove_stale (path);
  fd = new_socket ();
  /* On Linux the file takes the mode that the socket has when it is bound. */
  if (fd < 0 || fchmod (fd, 0600) != 0 ||
      bind (fd, (struct sockaddr *) &address, sizeof address) != 0 ||
      listen (fd, 8) != 0)
    return fail_errno (fd, path, "cannot listen", error);
  return fd;
}
