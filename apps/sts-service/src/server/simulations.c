/* SPDX-License-Identifier: Apache-2.0 */
#include "simulations.h"

#include "connection.h"

#define MAX_STREAMS 256

struct _DubSimulations {
  GPtrArray *connections; /* of DubConnection, borrowed */
  GHashTable *errors;     /* its own stream_id -> DubErrorSimulation */
};

DubSimulations *
dub_simulations_new (void)
{
  DubSimulations *self = g_new0 (DubSimulations, 1);

  self->connections = g_ptr_array_new ();
  self->errors = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
      (GDestroyNotify) dub_error_simulation_free);
  return self;
}

void
dub_simulations_free (DubSimulations *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->connections);
  g_hash_table_unref (self->errors);
  g_free (self);
}

void
dub_simulations_add (DubSimulations *self, DubConnection *connection)
{
  g_ptr_array_add (self->connections, connection);
}

void
dub_simulations_remove (DubSimulations *self, DubConnection *connection)
{
  g_ptr_array_remove_fast (self->connections, connection);
}

void
dub_simulations_set (DubSimulations *self, DubErrorSimulation *simulation)
{
  g_hash_table_remove (self->errors, simulation->stream_id);
  if (g_hash_table_size (self->errors) < MAX_STREAMS)
    g_hash_table_insert (self->errors, simulation->stream_id, simulation);
  else
    dub_error_simulation_free (simulation);
}

DubErrorSimulation *
dub_simulations_find (DubSimulations *self, const char *stream_id)
{
  DubErrorSimulation *named = g_hash_table_lookup (self->errors, stream_id);

  return named ? named : g_hash_table_lookup (self->errors, DUB_EVERY_STREAM);
}

static gboolean
is_meant (const char *wanted, DubConnection *connection)
{
  const char *stream_id = dub_connection_get_stream_id (connection);

  return stream_id && (g_str_equal (wanted, DUB_EVERY_STREAM) ||
                          g_str_equal (wanted, stream_id));
}

void
dub_simulations_disconnect (
    DubSimulations *self, const DubSimulateDisconnect *simulate)
{
  for (guint i = 0; i < self->connections->len; i++) {
    DubConnection *connection = g_ptr_array_index (self->connections, i);

    if (is_meant (simulate->stream_id, connection))
      dub_connection_close_in (connection, simulate->delay_ms);
  }
}
