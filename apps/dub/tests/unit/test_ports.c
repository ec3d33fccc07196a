/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor/ports.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

/* Port 0x0BB8 is 3000. The second line is a connection from it. */
static const char table[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
    "retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:0BB8 0100007F:1F90 01 00000000:00000000 00:00000000 "
    "00000000     0        0 111 1 0000000000000000 20 4 30 10 -1\n"
    "   1: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 "
    "00000000     0        0 222 1 0000000000000000 100 0 0 10 0\n"
    "   2: 00000000000000000000000001000000:1F90 "
    "00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 "
    "00000000  1000        0 333 1 0000000000000000 100 0 0 10 0\n";

static void
test_table (void)
{
  g_assert_cmpuint (dub_ports_find_listener (table, 3000), ==, 222);
  g_assert_cmpuint (dub_ports_find_listener (table, 8080), ==, 333);
  g_assert_cmpuint (dub_ports_find_listener (table, 1935), ==, 0);
  g_assert_cmpuint (dub_ports_find_listener ("", 3000), ==, 0);
  g_assert_cmpuint (dub_ports_find_listener ("nonsense: \n\n", 3000), ==, 0);
}

static void
test_who (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree char *who = NULL, *nobody = NULL;
  g_autofree char *pid = g_strdup_printf ("(pid %d)", (int) getpid ());

  g_assert_cmpuint (port, !=, 0);
  g_assert_true (dub_ports_is_taken (port, &who));
  g_assert_nonnull (strstr (who, pid));
  g_socket_listener_close (listener);
  g_assert_false (dub_ports_is_taken (port, &nobody));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dub/ports/table", test_table);
  g_test_add_func ("/dub/ports/who", test_who);
  return g_test_run ();
}
