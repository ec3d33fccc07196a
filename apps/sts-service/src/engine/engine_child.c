/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "sts.engine"

#include "engine_child.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#define NICE 5
#define READ_BYTES (64 * 1024)

typedef struct {
  int fd;
  DubFrameReader *reader;
} Link;

static gboolean
write_all (int fd, const guint8 *data, gsize length)
{
  while (length > 0) {
    ssize_t n = write (fd, data, length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    data += n;
    length -= (gsize) n;
  }
  return TRUE;
}

static gboolean
send_frame (Link *link, const DubFrame *frame)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = dub_frame_pack (frame, &error);
  gsize length = 0;
  const guint8 *data = NULL;

  if (bytes == NULL) {
    dub_error ("an answer cannot be sent: %s", error->message);
    return FALSE;
  }
  data = g_bytes_get_data (bytes, &length);
  return write_all (link->fd, data, length);
}

static gboolean
send_error (Link *link, gint64 id, const GError *error)
{
  g_autoptr (DubFrame) frame = dub_frame_new (json_object_new (), NULL);
  const char *code = error->domain == DUB_ERROR
                         ? dub_error_code_to_string (error->code)
                         : dub_error_code_to_string (DUB_ERROR_ENGINE);

  json_object_set_string_member (frame->header, "op", "error");
  json_object_set_int_member (frame->header, "id", id);
  json_object_set_string_member (frame->header, "code", code);
  json_object_set_string_member (frame->header, "message", error->message);
  return send_frame (link, frame);
}

/* The next frame; NULL at the end of the stream, or when it is broken. */
static DubFrame *
receive_frame (Link *link)
{
  guint8 buffer[READ_BYTES];

  for (;;) {
    g_autoptr (GError) error = NULL;
    DubFrame *frame = NULL;
    ssize_t n;

    if (!dub_frame_reader_next (link->reader, &frame, &error)) {
      dub_error ("the service sent what is no frame: %s", error->message);
      return NULL;
    }
    if (frame != NULL)
      return frame;
    n = read (link->fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return NULL;
    dub_frame_reader_push (link->reader, buffer, (gsize) n);
  }
}

static gpointer
load (const DubEngineKind *kind, Link *link)
{
  g_autoptr (DubFrame) settings = receive_frame (link);
  g_autoptr (DubFrame) ready = dub_frame_new (json_object_new (), NULL);
  g_autoptr (GError) error = NULL;
  gpointer state = NULL;

  if (settings == NULL)
    return NULL;
  json_object_set_string_member (ready->header, "op", "ready");
  state = kind->load (settings, ready->header, &error);
  if (state == NULL) {
    send_error (link, -1, error);
    return NULL;
  }
  if (!send_frame (link, ready)) {
    kind->unload (state);
    return NULL;
  }
  return state;
}

static gboolean
answer (const DubEngineKind *kind, Link *link, gpointer state,
    const DubFrame *request)
{
  g_autoptr (GError) error = NULL;
  gint64 id = dub_frame_get_int (request, "id", -1);
  g_autoptr (DubFrame) result = kind->handle (state, request, &error);

  if (result == NULL)
    return send_error (link, id, error);
  json_object_set_string_member (result->header, "op", "result");
  json_object_set_int_member (result->header, "id", id);
  return send_frame (link, result);
}

static void
settle_in (void)
{
  /* A service that is killed must not leave a model behind. When it went
   * before this line, the end of the socket tells. */
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  signal (SIGPIPE, SIG_IGN);
  /* Ctrl-C goes to the whole group; the service decides when we end. */
  signal (SIGINT, SIG_IGN);
  /* The programme must stay ahead of the dub of it. */
  if (setpriority (PRIO_PROCESS, 0, NICE) != 0)
    dub_debug ("nice %d refused", NICE);
  /* A library that prints must not print into what the service prints. */
  dup2 (STDERR_FILENO, STDOUT_FILENO);
}

int
dub_engine_child_run (const DubEngineKind *kind, int fd)
{
  Link link = {.fd = fd};
  g_autoptr (DubFrameReader) reader = dub_frame_reader_new ();
  gpointer state = NULL;

  settle_in ();
  link.reader = reader;
  state = load (kind, &link);
  if (state == NULL)
    return EX_UNAVAILABLE;
  for (;;) {
    g_autoptr (DubFrame) request = receive_frame (&link);
    if (request == NULL || !answer (kind, &link, state, request))
      break;
  }
  kind->unload (state);
  return EX_OK;
}
