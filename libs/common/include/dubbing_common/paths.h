/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Where scripts/fetch puts what it brings, and where programs keep what they
 * can make again. Nothing is created here.
 *
 * Any thread.
 */
G_BEGIN_DECLS

/* ${DUBBING_CACHE_DIR:-${XDG_CACHE_HOME:-~/.cache}/live-broadcast-dubbing}
 * (transfer full) */
char *dub_cache_dir (void);

/* The folder "models" in it. (transfer full) */
char *dub_models_dir (void);

G_END_DECLS
