/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Mono float32 made faster or slower, pitch and formants kept: Rubber Band
 * where the build has it, else libsonic, which works in the time domain and
 * so keeps both by itself.
 *
 * Any thread.
 */
G_BEGIN_DECLS

/* "rubberband", "sonic" or "none". Static. */
const char *dub_stretch_name (void);

/* speed: 1.2 makes 1200 ms into 1000; 0.5 to 2. DUB_ERROR_UNSUPPORTED in a
 * build that has neither. (transfer full) (nullable): of float */
GArray *dub_stretch (const float *samples, gsize count, guint rate_hz,
    double speed, GError **error);

G_END_DECLS
