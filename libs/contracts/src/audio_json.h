/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_contracts/audio.h>

#include "reader.h"

/*
 * The audio object of fragment:data and fragment:processed, shared by both.
 */

/* The limits of the two directions: answers are read more tolerantly. */
typedef enum {
  DUB_AUDIO_REQUEST, /* rate, channels and duration are required */
  DUB_AUDIO_ANSWER,
} DubAudioSide;

/* From the object that reader stands on; bytes under data_name. */
DubAudio *dub_audio_read (DubReader *reader, const char *data_name,
    DubAudioSide side, const DubAttachments *attachments);
/* Bytes as attachment when audio->is_binary and attachments can take them,
 * else as base64. (transfer full) */
JsonNode *dub_audio_to_json (
    const DubAudio *audio, const DubAttachments *attachments);
/* (transfer full) */
char *dub_audio_to_base64 (const DubAudio *audio);
