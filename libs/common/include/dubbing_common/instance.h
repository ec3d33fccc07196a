/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Host and process, "host-1234": the instance_id of logs and of runs on disk,
 * which tells two processes of a kind apart. Any thread. (transfer full) */
char *dub_instance_id_new (void);

G_END_DECLS
