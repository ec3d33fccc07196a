/* SPDX-License-Identifier: Apache-2.0 */
#include "tcp_queue.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
  const char *scheme;
  guint16 port;
} usual[] = {{"rtmp", 1935}, {"rtmps", 443}, {"rtsp", 554}, {"rtsps", 322}};

guint16
dub_tcp_queue_port_of (const char *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  int port = uri ? g_uri_get_port (uri) : -1;
  gsize length = strcspn (url, ":");

  if (port > 0)
    return (guint16) port;
  for (gsize i = 0; i < G_N_ELEMENTS (usual); i++)
    if (strlen (usual[i].scheme) == length &&
        g_ascii_strncasecmp (url, usual[i].scheme, length) == 0)
      return usual[i].port;
  return 0;
}

static guint16
peer_port (int fd)
{
  struct sockaddr_storage address = {0};
  socklen_t length = sizeof address;

  if (getpeername (fd, (struct sockaddr *) &address, &length) != 0)
    return 0;
  if (address.ss_family == AF_INET)
    return ntohs (((struct sockaddr_in *) &address)->sin_port);
  if (address.ss_family == AF_INET6)
    return ntohs (((struct sockaddr_in6 *) &address)->sin6_port);
  return 0;
}

guint64
dub_tcp_queue_unacknowledged (int fd)
{
  int bytes = 0;

  return fd >= 0 && ioctl (fd, SIOCOUTQ, &bytes) == 0 && bytes > 0
             ? (guint64) bytes
             : 0;
}

/* FALSE when it is no such connection. */
static gboolean
read_written (int fd, guint16 port, guint64 *ret_written)
{
  struct tcp_info info = {0};
  socklen_t length = sizeof info;

  if (peer_port (fd) != port ||
      getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
      length < G_STRUCT_OFFSET (struct tcp_info, tcpi_bytes_received))
    return FALSE;
  *ret_written = info.tcpi_bytes_acked + dub_tcp_queue_unacknowledged (fd);
  return TRUE;
}

/* It may have been closed meanwhile, and its number be another's. */
static int
keep (int fd, guint16 port)
{
  int kept = fcntl (fd, F_DUPFD_CLOEXEC, 0);

  if (kept < 0 || peer_port (kept) == port)
    return kept;
  close (kept);
  return -1;
}

int
dub_tcp_queue_find (guint16 port, guint64 written)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  guint64 best_off = G_MAXUINT64;
  const char *name;
  int best = -1;

  while (folder && (name = g_dir_read_name (folder))) {
    int fd = (int) g_ascii_strtoll (name, NULL, 10);
    guint64 found, off;

    if (!read_written (fd, port, &found))
      continue;
    off = found > written ? found - written : written - found;
    if (off < best_off) {
      best_off = off;
      best = fd;
    }
  }
  return best >= 0 ? keep (best, port) : -1;
}

void
dub_tcp_queue_set_no_delay (guint16 port)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  const int is_on = 1;
  const char *name;

  while (folder && (name = g_dir_read_name (folder))) {
    int fd = (int) g_ascii_strtoll (name, NULL, 10);

    if (peer_port (fd) == port)
      setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &is_on, sizeof is_on);
  }
}
