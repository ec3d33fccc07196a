/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/tls.h"

#include "dubbing_common/error.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REMEMBERED_US (30 * G_USEC_PER_SEC)
#define MAX_REMEMBERED 64
/* Of our own, with ourselves. */
#define HANDSHAKE_S 5

typedef struct {
  GTlsCertificateFlags flags;
  gint64 at_us;
} Refusal;

static GMutex lock;
static GHashTable *refusals; /* host -> Refusal; protected by lock */

/* --- why --- */

static const char *
flags_to_text (GTlsCertificateFlags flags)
{
  /* One may be wrong in several ways; the first of these is what to mend. */
  static const struct {
    GTlsCertificateFlags flag;
    const char *text;
  } texts[] = {
      {G_TLS_CERTIFICATE_EXPIRED, "has expired"},
      {G_TLS_CERTIFICATE_NOT_ACTIVATED, "is not valid yet"},
      {G_TLS_CERTIFICATE_REVOKED, "was revoked"},
      {G_TLS_CERTIFICATE_BAD_IDENTITY, "is for another host"},
      {G_TLS_CERTIFICATE_UNKNOWN_CA,
          "is of no authority that is trusted here (TLS_CA_FILE)"},
      {G_TLS_CERTIFICATE_INSECURE, "uses an algorithm that is not secure"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (flags & texts[i].flag)
      return texts[i].text;
  return "is not good";
}

/* (transfer full) (nullable) */
static char *
host_of (GTlsConnection *connection)
{
  GSocketConnectable *identity = NULL;
  char *host = NULL;

  if (!G_IS_TLS_CLIENT_CONNECTION (connection))
    return NULL;
  identity = g_tls_client_connection_get_server_identity (
      G_TLS_CLIENT_CONNECTION (connection));
  if (G_IS_NETWORK_ADDRESS (identity))
    host = g_strdup (
        g_network_address_get_hostname (G_NETWORK_ADDRESS (identity)));
  else if (G_IS_NETWORK_SERVICE (identity))
    host =
        g_strdup (g_network_service_get_domain (G_NETWORK_SERVICE (identity)));
  else if (G_IS_INET_SOCKET_ADDRESS (identity))
    host = g_inet_address_to_string (
        g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (identity)));
  return host;
}

static gboolean
on_bad_certificate (GSignalInvocationHint *hint, guint n_values,
    const GValue *values, gpointer user_data)
{
  Refusal refusal = {g_value_get_flags (&values[2]), g_get_monotonic_time ()};
  char *host = host_of (g_value_get_object (&values[0]));

  if (host == NULL)
    return TRUE;
  g_mutex_lock (&lock);
  if (g_hash_table_size (refusals) >= MAX_REMEMBERED)
    g_hash_table_remove_all (refusals);
  g_hash_table_replace (refusals, host, g_memdup2 (&refusal, sizeof refusal));
  g_mutex_unlock (&lock);
  return TRUE;
}

/* The signal comes for a certificate that is not good; nobody answers it, and
 * so it is refused. */
static void
remember_refusals (void)
{
  static gsize once = 0;
  gpointer class;

  if (!g_once_init_enter (&once))
    return;
  /* Stays, so that the signal does. */
  class = g_type_class_ref (G_TYPE_TLS_CONNECTION);
  refusals = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_signal_add_emission_hook (
      g_signal_lookup ("accept-certificate", G_TYPE_FROM_CLASS (class)), 0,
      on_bad_certificate, NULL, NULL);
  g_once_init_leave (&once, 1);
}

char *
dub_tls_refusal (const char *host)
{
  char *text = NULL;
  Refusal *refusal;

  g_mutex_lock (&lock);
  refusal = refusals != NULL && host != NULL
                ? g_hash_table_lookup (refusals, host)
                : NULL;
  if (refusal != NULL &&
      g_get_monotonic_time () - refusal->at_us < REMEMBERED_US)
    text = g_strdup_printf (
        "the certificate of %s %s", host, flags_to_text (refusal->flags));
  g_mutex_unlock (&lock);
  return text;
}

char *
dub_tls_refusal_of_url (const char *url)
{
  g_autoptr (GUri) uri =
      url != NULL ? g_uri_parse (url, G_URI_FLAGS_PARSE_RELAXED, NULL) : NULL;

  return uri != NULL ? dub_tls_refusal (g_uri_get_host (uri)) : NULL;
}

/* --- whom we trust --- */

static GTlsDatabase *
load_authorities (const char *ca_file, GError **error)
{
  g_autofree char *path = g_canonicalize_filename (ca_file, NULL);
  g_autolist (GTlsCertificate) list = NULL;
  g_autoptr (GError) cause = NULL;
  GTlsDatabase *database = NULL;

  list = g_tls_certificate_list_new_from_file (path, &cause);
  if (list != NULL)
    database = g_tls_file_database_new (path, &cause);
  if (database == NULL)
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID, "TLS_CA_FILE: %s",
        cause != NULL ? cause->message : "holds no certificate");
  return database;
}

gboolean
dub_tls_trust (const char *ca_file, GError **error)
{
  g_autoptr (GTlsDatabase) database = NULL;

  remember_refusals ();
  if (ca_file == NULL)
    return TRUE;
  database = load_authorities (ca_file, error);
  if (database == NULL)
    return FALSE;
  g_tls_backend_set_default_database (g_tls_backend_get_default (), database);
  return TRUE;
}

/* --- what we show --- */

static gboolean
has_key (GTlsCertificate *certificate, GError **error)
{
  g_autofree char *pem = NULL;

  g_object_get (certificate, "private-key-pem", &pem, NULL);
  if (pem != NULL)
    return TRUE;
  g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
      "TLS_KEY_FILE is not set, and TLS_CERT_FILE holds no private key");
  return FALSE;
}

static gboolean
is_in_time (GTlsCertificate *certificate, GError **error)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autoptr (GDateTime) end =
      g_tls_certificate_get_not_valid_after (certificate);

  if (end == NULL || g_date_time_compare (now, end) < 0)
    return TRUE;
  g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
      "TLS_CERT_FILE: the certificate has expired");
  return FALSE;
}

static gboolean
on_any_certificate (GTlsConnection *connection, GTlsCertificate *certificate,
    GTlsCertificateFlags flags, gpointer user_data)
{
  return TRUE;
}

/* Either end of a handshake; the other learns of a failure by the end of the
 * stream. Returns what went wrong, or NULL. */
static gpointer
shake_hands (gpointer connection)
{
  GError *failure = NULL;

  g_tls_connection_handshake (connection, NULL, &failure);
  if (failure != NULL) {
    g_autoptr (GIOStream) base = NULL;
    g_object_get (connection, "base-io-stream", &base, NULL);
    g_io_stream_close (base, NULL, NULL);
  }
  return failure;
}

/* (transfer full) (nullable) */
static GSocketConnection *
connection_of (int fd, GError **error)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, error);

  if (socket == NULL) {
    close (fd);
    return NULL;
  }
  g_socket_set_timeout (socket, HANDSHAKE_S);
  return g_socket_connection_factory_create_connection (socket);
}

/* FALSE: the two have not come together. */
static gboolean
try_handshake (GSocketConnection *here, GSocketConnection *there,
    GTlsCertificate *certificate, GError **error)
{
  g_autoptr (GIOStream) server = NULL;
  g_autoptr (GIOStream) client = NULL;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GError) seen = NULL;
  GThread *thread = NULL;

  server = g_tls_server_connection_new (G_IO_STREAM (here), certificate, error);
  if (server == NULL)
    return FALSE;
  client = g_tls_client_connection_new (G_IO_STREAM (there), NULL, error);
  if (client == NULL)
    return FALSE;
  g_signal_connect (
      client, "accept-certificate", G_CALLBACK (on_any_certificate), NULL);
  thread = g_thread_new ("tls-pair", shake_hands, client);
  failure = shake_hands (server);
  seen = g_thread_join (thread);
  if (seen == NULL && failure == NULL)
    return TRUE;
  g_propagate_error (error,
      seen != NULL ? g_steal_pointer (&seen) : g_steal_pointer (&failure));
  return FALSE;
}

/* GIO reads the two and compares nothing, so that the first client would find
 * out. It is we, who ask the server for a signature. */
static gboolean
is_pair (GTlsCertificate *certificate, GError **error)
{
  g_autoptr (GSocketConnection) here = NULL;
  g_autoptr (GSocketConnection) there = NULL;
  g_autoptr (GError) cause = NULL;
  int ends[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return TRUE;
  here = connection_of (ends[0], &cause);
  there = connection_of (ends[1], cause == NULL ? &cause : NULL);
  if (here != NULL && there != NULL &&
      try_handshake (here, there, certificate, &cause))
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
      "TLS_CERT_FILE, TLS_KEY_FILE: certificate and private key do not belong "
      "together (%s)",
      cause->message);
  return FALSE;
}

GTlsCertificate *
dub_tls_load (
    const char *certificate_file, const char *key_file, GError **error)
{
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) cause = NULL;

  if (certificate_file == NULL && key_file == NULL)
    return NULL;
  if (certificate_file == NULL) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_INVALID,
        "TLS_KEY_FILE is set and TLS_CERT_FILE is not");
    return NULL;
  }
  certificate = key_file != NULL ? g_tls_certificate_new_from_files (
                                       certificate_file, key_file, &cause)
                                 : g_tls_certificate_new_from_file (
                                       certificate_file, &cause);
  if (certificate == NULL) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "TLS_CERT_FILE, TLS_KEY_FILE: %s", cause->message);
    return NULL;
  }
  if (!has_key (certificate, error) || !is_in_time (certificate, error) ||
      !is_pair (certificate, error))
    return NULL;
  return g_steal_pointer (&certificate);
}
