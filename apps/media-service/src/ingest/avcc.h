/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Parameter sets that change within a stream. Some servers tell new ones only
 * in band, in the access unit of the key frame; a player that joins later, or
 * a server that looks at codec data alone, would decode with the old ones. So
 * new ones become new codec data (AVCDecoderConfigurationRecord, ISO/IEC
 * 14496-15) at their key frame; in band they stay where they are.
 *
 * Pure functions; any thread.
 */
G_BEGIN_DECLS

/* Bytes of the length before each NAL unit, 1, 2 or 4; 0 when codec_data is
 * no AVCDecoderConfigurationRecord. */
guint dub_avcc_get_length_size (GBytes *codec_data);

/* The same of an HEVCDecoderConfigurationRecord. */
guint dub_hvcc_get_length_size (GBytes *codec_data);

/* Whether NAL units fill the access unit to its last byte. One that is cut, or
 * noise, must not go out: media servers end a connection over it. */
gboolean dub_avcc_is_whole (GBytes *unit, guint length_size);

/*
 * New codec data when the access unit has parameter sets in band that are not
 * those of codec_data; NULL when it has none, the same, or is broken.
 * (transfer full) (nullable)
 */
GBytes *dub_avcc_update (GBytes *codec_data, GBytes *unit);

G_END_DECLS
