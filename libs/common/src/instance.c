/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/instance.h"

#include <unistd.h>

char *
dub_instance_id_new (void)
{
  return g_strdup_printf ("%s-%d", g_get_host_name (), (int) getpid ());
}
