/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The limits of what is accepted from a peer. A field beyond its limit is an
 * error that names the field and the limit; nothing is cut in silence, apart
 * from texts that are only shown (DUB_WIRE_MAX_TEXT).
 */

#define DUB_WIRE_MAX_ID 256      /* stream, worker, session, fragment ids */
#define DUB_WIRE_MAX_NAME 128    /* voices, formats, stages, codes */
#define DUB_WIRE_MAX_REASON 1024 /* bytes of a free-text reason */
#define DUB_WIRE_MAX_TEXT 16384  /* bytes of a transcript or message */
#define DUB_WIRE_MIN_LANGUAGE 2
#define DUB_WIRE_MAX_LANGUAGE 10
#define DUB_WIRE_MAX_HINTS 64   /* domain hints */
#define DUB_WIRE_MAX_RULES 1000 /* of an error simulation */
#define DUB_WIRE_MIN_CHUNK_MS 100
#define DUB_WIRE_MAX_CHUNK_MS 15000
#define DUB_WIRE_MIN_RATE_HZ 8000
#define DUB_WIRE_MAX_RATE_HZ 96000
#define DUB_WIRE_MAX_CHANNELS 2
#define DUB_WIRE_MAX_FRAGMENT_MS 60000
#define DUB_WIRE_MAX_INFLIGHT 10
#define DUB_WIRE_MIN_TIMEOUT_MS 1000
#define DUB_WIRE_MAX_TIMEOUT_MS 30000
/* 10 MiB of sound, and what base64 makes of it. */
#define DUB_WIRE_MAX_AUDIO_BYTES 10485760
#define DUB_WIRE_MAX_AUDIO_BASE64 13981017
/* What we send stays below this: common clients drop the connection there. */
#define DUB_WIRE_MAX_MESSAGE_OUT 4194304
