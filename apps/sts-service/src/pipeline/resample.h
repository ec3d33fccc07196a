/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * Mono float32 from one rate to another with GStreamer's resampler; the length
 * is that of the input to a sample, and nothing is delayed. Any thread.
 * (transfer full): of float
 */
GArray *dub_resample (
    const float *samples, gsize count, guint from_hz, guint to_hz);

G_END_DECLS
