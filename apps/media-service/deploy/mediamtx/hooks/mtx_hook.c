/* SPDX-License-Identifier: Apache-2.0 */

/*
 * mtx-hook ready|not-ready (--help tells more)
 *
 * MediaMTX runs this when a publisher comes or goes. It posts what happened to
 * media-service, once, within five seconds, and says on standard output or
 * error how that went. MediaMTX accepts the stream whatever comes of it.
 *
 * From the environment, set by MediaMTX: MTX_PATH, MTX_SOURCE_TYPE,
 * MTX_SOURCE_ID, MTX_QUERY (may be missing). Set by the operator:
 * ORCHESTRATOR_URL (http://host:port), and ORCHESTRATOR_TOKEN or
 * ORCHESTRATOR_TOKEN_FILE where media-service wants a token.
 *
 * Exit code 0: media-service took the event. 1: it did not, or a value is
 * missing or wrong; standard error says what, from "ERROR:" on.
 *
 * Plain C and sockets, linked statically, so that it runs in the image of any
 * media server. One thread; the process ends with the one event.
 */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMEOUT_S 5
#define MAX_VALUE 4096
/* A byte of a value becomes at most six, as \u001f. */
#define MAX_BODY (4 * 6 * MAX_VALUE + 128)
#define MAX_REQUEST (MAX_BODY + 4 * MAX_VALUE)

typedef struct {
  char data[MAX_REQUEST];
  size_t length;
} Text;

typedef struct {
  char host[256], port[8], prefix[MAX_VALUE];
} Url;

typedef struct {
  const char *event, *path, *source_type, *source_id, *query;
} Event;

/* What on_timeout () says; complete before the timer runs. */
static char timeout_message[2 * MAX_VALUE];

static void __attribute__ ((noreturn, format (printf, 1, 2)))
die (const char *format, ...)
{
  va_list args;

  fputs ("ERROR: ", stderr);
  va_start (args, format);
  /* The analyser does not see va_start () in a file that is built for musl. */
  /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
  vfprintf (stderr, format, args);
  va_end (args);
  fputc ('\n', stderr);
  exit (1);
}

static void
text_add (Text *text, const char *bytes, size_t length)
{
  if (length >= sizeof text->data - text->length)
    die ("the event is too large to send");
  memcpy (text->data + text->length, bytes, length);
  text->length += length;
  text->data[text->length] = '\0';
}

static void
text_puts (Text *text, const char *string)
{
  text_add (text, string, strlen (string));
}

/* --- JSON --- */

/* The length of the UTF-8 character at p, 0 when there is none: cut short,
 * longer than need be, a surrogate, or beyond the last one. */
static size_t
utf8_length (const unsigned char *p)
{
  unsigned char second_min = 0x80, second_max = 0xbf;
  size_t n;

  if (p[0] < 0x80)
    return 1;
  if (p[0] < 0xc2 || p[0] > 0xf4)
    return 0;
  n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
  if (p[0] == 0xe0)
    second_min = 0xa0;
  else if (p[0] == 0xed)
    second_max = 0x9f;
  else if (p[0] == 0xf0)
    second_min = 0x90;
  else if (p[0] == 0xf4)
    second_max = 0x8f;
  if (p[1] < second_min || p[1] > second_max)
    return 0;
  for (size_t i = 2; i < n; i++)
    if (p[i] < 0x80 || p[i] > 0xbf)
      return 0;
  return n;
}

static void
add_json_string (Text *out, const char *value)
{
  const unsigned char *p = (const unsigned char *) value;
  char escape[8];

  text_add (out, "\"", 1);
  while (*p != '\0') {
    size_t n = utf8_length (p);

    if (n == 0) {
      text_puts (out, "\\ufffd");
      n = 1;
    } else if (*p == '"' || *p == '\\') {
      escape[0] = '\\';
      escape[1] = (char) *p;
      text_add (out, escape, 2);
    } else if (*p < 0x20 || *p == 0x7f) {
      snprintf (escape, sizeof escape, "\\u%04x", *p);
      text_puts (out, escape);
    } else {
      text_add (out, (const char *) p, n);
    }
    p += n;
  }
  text_add (out, "\"", 1);
}

static void
add_json_pair (Text *out, const char *name, const char *value)
{
  text_add (out, out->length == 0 ? "{" : ",", 1);
  add_json_string (out, name);
  text_add (out, ":", 1);
  add_json_string (out, value);
}

/* shows_query: a query may hold a password, and messages go to logs. */
static void
make_body (Text *out, const Event *event, int shows_query)
{
  out->length = 0;
  add_json_pair (out, "path", event->path);
  add_json_pair (out, "sourceType", event->source_type);
  add_json_pair (out, "sourceId", event->source_id);
  if (event->query[0] != '\0')
    add_json_pair (out, "query", shows_query ? event->query : "***");
  text_add (out, "}", 1);
}

/* --- what we are told --- */

/* NULL when it is not set. */
static const char *
get_value (const char *name)
{
  const char *value = getenv (name);

  if (value != NULL && strlen (value) > MAX_VALUE)
    die ("%s is longer than %d bytes", name, MAX_VALUE);
  return value;
}

static const char *
need_value (const char *name)
{
  const char *value = get_value (name);

  if (value == NULL || value[0] == '\0')
    die ("%s is not set", name);
  return value;
}

static void __attribute__ ((noreturn)) print_help (void)
{
  fputs ("Usage: mtx-hook ready|not-ready\n"
         "MediaMTX runs it when a publisher comes (runOnReady) or goes\n"
         "(runOnNotReady); it tells media-service.\n\n"
         "From the environment:\n"
         "  ORCHESTRATOR_URL         media-service, as http://127.0.0.1:8080\n"
         "  ORCHESTRATOR_TOKEN       its HOOK_TOKEN or API_TOKEN, if it has\n"
         "                           one; or _FILE, a file that holds it\n"
         "  MTX_PATH, MTX_SOURCE_TYPE, MTX_SOURCE_ID, MTX_QUERY\n"
         "                           set by MediaMTX\n\n"
         "Exit status 0: media-service took it. 1: it did not; standard error\n"
         "says why.\n",
      stdout);
  exit (0);
}

static Event
read_event (int argc, char **argv)
{
  Event event = {0};

  if (argc == 2 &&
      (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0))
    print_help ();
  if (argc != 2 ||
      (strcmp (argv[1], "ready") != 0 && strcmp (argv[1], "not-ready") != 0))
    die ("usage: mtx-hook ready|not-ready");
  event.event = argv[1];
  event.path = need_value ("MTX_PATH");
  event.source_type = need_value ("MTX_SOURCE_TYPE");
  /* Empty for a source that MediaMTX pulls itself. */
  event.source_id = get_value ("MTX_SOURCE_ID");
  if (event.source_id == NULL)
    die ("MTX_SOURCE_ID is not set");
  event.query = get_value ("MTX_QUERY");
  if (event.query == NULL)
    event.query = "";
  return event;
}

static void
copy_part (char *to, size_t size, const char *from, size_t length)
{
  if (length >= size)
    die ("ORCHESTRATOR_URL: a part of it is too long");
  memcpy (to, from, length);
  to[length] = '\0';
}

static void
check_characters (const char *name, const char *value)
{
  for (const char *p = value; *p != '\0'; p++)
    if ((unsigned char) *p <= ' ' || (unsigned char) *p >= 0x7f)
      die ("%s holds a character that does not belong there", name);
}

/* http://host[:port][/prefix], the host in brackets when it is IPv6; one
 * slash at its end does not count. */
static Url
parse_url (const char *text)
{
  Url url = {.port = "80"};
  const char *host = text + strlen ("http://");
  const char *host_end, *after, *path;

  check_characters ("ORCHESTRATOR_URL", text);
  if (strncmp (text, "http://", strlen ("http://")) != 0)
    die ("ORCHESTRATOR_URL must begin with http://");
  path = host + strcspn (host, "/");
  if (memchr (host, '@', (size_t) (path - host)) != NULL ||
      strpbrk (text, "?#") != NULL)
    die ("ORCHESTRATOR_URL must be http://host:port");
  if (host[0] == '[') {
    host++;
    host_end = host + strcspn (host, "]/");
    after = *host_end == ']' ? host_end + 1 : host_end;
  } else {
    host_end = after = host + strcspn (host, ":/");
  }
  if (host_end == host || (*after != ':' && after != path))
    die ("ORCHESTRATOR_URL has no valid host");
  copy_part (url.host, sizeof url.host, host, (size_t) (host_end - host));
  if (*after == ':')
    copy_part (
        url.port, sizeof url.port, after + 1, (size_t) (path - after - 1));
  if (url.port[0] == '\0' ||
      strspn (url.port, "0123456789") != strlen (url.port))
    die ("ORCHESTRATOR_URL has no valid port");
  copy_part (url.prefix, sizeof url.prefix, path, strlen (path));
  if (url.prefix[0] != '\0' && url.prefix[strlen (url.prefix) - 1] == '/')
    url.prefix[strlen (url.prefix) - 1] = '\0';
  return url;
}

/* (nullable): media-service wants none. */
static const char *
read_token (void)
{
  static char token[1024];
  const char *value = get_value ("ORCHESTRATOR_TOKEN");
  const char *path = get_value ("ORCHESTRATOR_TOKEN_FILE");
  FILE *file;

  if (value == NULL || value[0] == '\0') {
    if (path == NULL || path[0] == '\0')
      return NULL;
    file = fopen (path, "re");
    if (file == NULL || fgets (token, sizeof token, file) == NULL)
      die ("ORCHESTRATOR_TOKEN_FILE: %s cannot be read", path);
    fclose (file);
    token[strcspn (token, "\r\n")] = '\0';
    value = token;
  }
  check_characters ("ORCHESTRATOR_TOKEN", value);
  return value;
}

/* --- HTTP --- */

static void
make_request (Text *out, const Url *url, const char *event, const Text *body)
{
  const char *token = read_token ();
  int is_v6 = strchr (url->host, ':') != NULL;
  char line[128];

  text_puts (out, "POST ");
  text_puts (out, url->prefix);
  text_puts (out, "/v1/mediamtx/events/");
  text_puts (out, event);
  text_puts (out, " HTTP/1.1\r\nHost: ");
  text_puts (out, is_v6 ? "[" : "");
  text_puts (out, url->host);
  text_puts (out, is_v6 ? "]:" : ":");
  text_puts (out, url->port);
  if (token != NULL) {
    text_puts (out, "\r\nAuthorization: Bearer ");
    text_puts (out, token);
  }
  snprintf (line, sizeof line,
      "\r\nContent-Type: application/json\r\n"
      "User-Agent: MediaMTX-Hook/1.0\r\n"
      "Content-Length: %zu\r\nConnection: close\r\n\r\n",
      body->length);
  text_puts (out, line);
  text_add (out, body->data, body->length);
}

static int
connect_to (const Url *url, char *why, size_t size)
{
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  struct addrinfo *list = NULL;
  int code = getaddrinfo (url->host, url->port, &hints, &list);
  int fd = -1;

  if (code != 0) {
    snprintf (why, size, "%s", gai_strerror (code));
    return -1;
  }
  for (struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
    fd = socket (a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd >= 0 && connect (fd, a->ai_addr, a->ai_addrlen) == 0)
      break;
    snprintf (why, size, "%s", strerror (errno));
    if (fd >= 0)
      close (fd);
    fd = -1;
  }
  freeaddrinfo (list);
  return fd;
}

static int
send_all (int fd, const Text *text)
{
  size_t sent = 0;

  while (sent < text->length) {
    ssize_t n = send (fd, text->data + sent, text->length - sent, MSG_NOSIGNAL);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return 0;
    sent += (size_t) n;
  }
  return 1;
}

/* The status of the answer, 0 when there is none. */
static int
read_status (int fd)
{
  char line[64];
  size_t length = 0;

  while (length < sizeof line - 1) {
    ssize_t n = recv (fd, line + length, sizeof line - 1 - length, 0);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    length += (size_t) n;
    line[length] = '\0';
    if (strchr (line, '\n') != NULL)
      break;
  }
  line[length] = '\0';
  if (length < 12 || strncmp (line, "HTTP/1.", 7) != 0 || line[8] != ' ')
    return 0;
  line[12] = '\0';
  return (int) strtol (line + 9, NULL, 10);
}

static void
on_timeout (int signal_number)
{
  ssize_t n = write (STDERR_FILENO, timeout_message, strlen (timeout_message));

  (void) signal_number;
  (void) n;
  _exit (1);
}

int
main (int argc, char **argv)
{
  static Text body, shown, request;
  Event event = read_event (argc, argv);
  const char *base = need_value ("ORCHESTRATOR_URL");
  Url url = parse_url (base);
  char why[256] = "no answer";
  int fd, status;

  make_body (&shown, &event, 0);
  make_body (&body, &event, 1);
  make_request (&request, &url, event.event, &body);
  snprintf (timeout_message, sizeof timeout_message,
      "ERROR: no answer from %s within %d s to %s\n", base, TIMEOUT_S,
      event.event);
  signal (SIGALRM, on_timeout);
  alarm (TIMEOUT_S);

  fd = connect_to (&url, why, sizeof why);
  if (fd < 0)
    die ("%s cannot be reached (%s), event %s, payload %s", base, why,
        event.event, shown.data);
  if (!send_all (fd, &request) || (status = read_status (fd)) == 0)
    die ("%s gave no answer, event %s, payload %s", base, event.event,
        shown.data);
  if (status < 200 || status > 299)
    die ("%s answered with status %d, event %s, payload %s", base, status,
        event.event, shown.data);
  printf ("mtx-hook: %s of %s delivered, status %d\n", event.event, event.path,
      status);
  return 0;
}
