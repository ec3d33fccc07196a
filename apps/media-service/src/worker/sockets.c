/* SPDX-License-Identifier: Apache-2.0 */
#include "sockets.h"

#include <gio/gio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

/* A signal of GSocketClient: client, event, address, connection. */
static gboolean
on_event (GSignalInvocationHint *hint, guint n_values, const GValue *values,
    gpointer user_data)
{
  gpointer connection = n_values > 3 ? g_value_get_object (&values[3]) : NULL;

  if (g_value_get_enum (&values[1]) == G_SOCKET_CLIENT_CONNECTED &&
      G_IS_TCP_CONNECTION (connection))
    g_socket_set_option (g_socket_connection_get_socket (connection),
        IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  return TRUE; /* stays */
}

void
dub_sockets_tune (void)
{
  /* The class must be there for its signal to be. */
  gpointer class = g_type_class_ref (G_TYPE_SOCKET_CLIENT);

  g_signal_add_emission_hook (
      g_signal_lookup ("event", G_TYPE_SOCKET_CLIENT), 0, on_event, NULL, NULL);
  g_type_class_unref (class);
}
