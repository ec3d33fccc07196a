/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/pcm.h>

/*
 * Interleaved 16-bit sound to mono floats at a rate that is a whole number of
 * times lower: channels averaged, low-passed by a symmetric filter (so the
 * delay is the same at every frequency and known exactly), decimated. For
 * listening machines, not for ears: flat to 6 kHz of 8 at 48 to 16 kHz.
 *
 * One thread.
 */
G_BEGIN_DECLS

typedef struct _DubMonoResampler DubMonoResampler;

DubMonoResampler *dub_mono_resampler_new (guint ratio);
void dub_mono_resampler_free (DubMonoResampler *self);

/* Sample k out since the last reset is sample k * ratio - delay in. */
guint dub_mono_resampler_get_delay_frames (const DubMonoResampler *self);
void dub_mono_resampler_reset (DubMonoResampler *self);

/* Valid until the next call. (transfer none) */
const float *dub_mono_resampler_push (
    DubMonoResampler *self, const DubPcm *pcm, gsize *ret_n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubMonoResampler, dub_mono_resampler_free)

G_END_DECLS
