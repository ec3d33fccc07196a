/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * One error domain for all our libraries and services. A code says what the
 * caller can do about it, not where it happened: the message says that, and
 * names the thing that was wrong (the variable, the URL without its key, the
 * field) and the limit it broke.
 *
 * Any thread.
 */
G_BEGIN_DECLS

#define DUB_ERROR (dub_error_quark ())
GQuark dub_error_quark (void);

typedef enum {
  DUB_ERROR_NONE = 0,
  /* Trying again changes nothing: mend the input or the settings. */
  DUB_ERROR_INVALID,     /* a value or message breaks its rules */
  DUB_ERROR_LIMIT,       /* larger than the limit that the message names */
  DUB_ERROR_NOT_FOUND,   /* a file, stream or model that is not there */
  DUB_ERROR_UNSUPPORTED, /* well formed, but not ours to do */
  DUB_ERROR_AUTH,        /* refused for who we are */
  DUB_ERROR_PROTOCOL,    /* the peer broke the protocol */
  /* The same call may go through later. */
  DUB_ERROR_TIMEOUT,
  DUB_ERROR_UNAVAILABLE, /* refused, unreachable, not started yet */
  DUB_ERROR_OVERLOADED,
  DUB_ERROR_DISCONNECTED,
  DUB_ERROR_ENGINE, /* an engine failed or died on this input */
} DubErrorCode;

/* TRUE for our retryable codes and for the GIO errors that mean the same. */
gboolean dub_error_is_retryable (const GError *error);

/* A stable lower-case name, for logs and metrics ("timeout"). Static. */
const char *dub_error_code_to_string (DubErrorCode code);

G_END_DECLS
