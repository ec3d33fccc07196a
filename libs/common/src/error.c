/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/error.h"

#include <gio/gio.h>

G_DEFINE_QUARK (dub_error, dub_error)

static gboolean
io_code_is_retryable (int code)
{
  switch (code) {
    case G_IO_ERROR_BUSY:
    case G_IO_ERROR_CONNECTION_CLOSED: /* the same value as BROKEN_PIPE */
    case G_IO_ERROR_CONNECTION_REFUSED:
    case G_IO_ERROR_HOST_NOT_FOUND:
    case G_IO_ERROR_HOST_UNREACHABLE:
    case G_IO_ERROR_NETWORK_UNREACHABLE:
    case G_IO_ERROR_NOT_CONNECTED:
    case G_IO_ERROR_TIMED_OUT:
    case G_IO_ERROR_TOO_MANY_OPEN_FILES:
    case G_IO_ERROR_WOULD_BLOCK:
      return TRUE;
    default:
      return FALSE;
  }
}

gboolean
dub_error_is_retryable (const GError *error)
{
  if (error == NULL)
    return FALSE;
  if (error->domain == DUB_ERROR)
    return error->code >= DUB_ERROR_TIMEOUT && error->code <= DUB_ERROR_ENGINE;
  if (error->domain == G_IO_ERROR)
    return io_code_is_retryable (error->code);
  /* A name that is unknown now may be known once its container has started,
   * so every answer of the resolver is worth another try. */
  return error->domain == G_RESOLVER_ERROR;
}

const char *
dub_error_code_to_string (DubErrorCode code)
{
  switch (code) {
    case DUB_ERROR_NONE:
      return "none";
    case DUB_ERROR_INVALID:
      return "invalid";
    case DUB_ERROR_LIMIT:
      return "limit";
    case DUB_ERROR_NOT_FOUND:
      return "not_found";
    case DUB_ERROR_UNSUPPORTED:
      return "unsupported";
    case DUB_ERROR_AUTH:
      return "auth";
    case DUB_ERROR_PROTOCOL:
      return "protocol";
    case DUB_ERROR_TIMEOUT:
      return "timeout";
    case DUB_ERROR_UNAVAILABLE:
      return "unavailable";
    case DUB_ERROR_OVERLOADED:
      return "overloaded";
    case DUB_ERROR_DISCONNECTED:
      return "disconnected";
    case DUB_ERROR_ENGINE:
      return "engine";
  }
  return "unknown";
}
