/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/config.h>
#include <gio/gio.h>

/*
 * TLS for all that a program does: whom it trusts as a client, why it refused
 * a server, and what it shows as a server. Certificates are always verified;
 * there is no switch for it.
 *
 * Trust is the process's, since the RTMP elements of GStreamer, libsoup and
 * our own WebSocket client share nothing else: each asks GIO's backend for its
 * default database.
 */
G_BEGIN_DECLS

/* The rows of the options that a client has, and a server; each a member of
 * the struct S. */
/* NOLINTBEGIN(bugprone-macro-parentheses) */
#define DUB_TLS_TRUST_OPTION(S, member)                                        \
  {                                                                            \
    DUB_OPTION_ROW_AT (S, "tls-ca-file", "TLS_CA_FILE", STRING, member, NULL), \
        .min = 1, .max = 4096,                                                 \
        .help = "PEM file with the authorities that are trusted as a client "  \
                "(wss, https, rtmps). Unset: those of the system"              \
  }
#define DUB_TLS_SERVER_OPTIONS(S, certificate, key)                            \
  {DUB_OPTION_ROW_AT (                                                         \
       S, "tls-cert-file", "TLS_CERT_FILE", STRING, certificate, NULL),        \
      .min = 1, .max = 4096,                                                   \
      .help =                                                                  \
          "PEM file with the certificate that the server shows, and those "    \
          "between it and its authority. Unset: plain HTTP"},                  \
  {                                                                            \
    DUB_OPTION_ROW_AT (S, "tls-key-file", "TLS_KEY_FILE", STRING, key, NULL),  \
        .min = 1, .max = 4096,                                                 \
        .help = "PEM file with its private key. Unset: in TLS_CERT_FILE"       \
  }
/* NOLINTEND(bugprone-macro-parentheses) */

/*
 * Once, at start, before the first connection; from then on refusals are
 * remembered. ca_file: (nullable): the system's authorities.
 * DUB_ERROR_INVALID: the file cannot be read, or holds no certificate.
 */
gboolean dub_tls_trust (const char *ca_file, GError **error);

/*
 * Why the certificate of that host was not accepted, if one was not in the last
 * 30 s: "the certificate of studio.example has expired". Libraries say
 * "Unacceptable TLS certificate" and no more. Any thread. (transfer full)
 * (nullable)
 */
char *dub_tls_refusal (const char *host);
/* The same for the host of a URL. (nullable) */
char *dub_tls_refusal_of_url (const char *url);

/*
 * What a server shows. NULL without error: certificate_file is NULL.
 * DUB_ERROR_INVALID: a file that cannot be read, a key that does not fit, or a
 * certificate that has expired. (transfer full) (nullable)
 */
GTlsCertificate *dub_tls_load (
    const char *certificate_file, const char *key_file, GError **error);

G_END_DECLS
