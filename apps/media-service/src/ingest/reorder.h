/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <media_service/values.h>

/*
 * By how many pictures an encoder delays its output so that each is decoded
 * before it is shown, as its sequence parameter set says: the i-th picture's
 * dts is the pts of the picture shown so many before. Encoders often delay by
 * more than the order of the pictures shows (x264: 2 where 1 would do).
 *
 * Pure; any thread. codec_data: avcC or hvcC. 0 when it does not say.
 */
G_BEGIN_DECLS

guint dub_reorder_from_codec_data (DubVideoCodec codec, GBytes *codec_data);

G_END_DECLS
