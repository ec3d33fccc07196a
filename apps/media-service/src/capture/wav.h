/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/pcm.h>

G_BEGIN_DECLS

/* The sound as a WAV file: 16 bit, as it is. Pure; any thread.
 * (transfer full) */
GBytes *dub_wav_new (const DubPcm *pcm);

G_END_DECLS
