/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "orchestrator.h"

/*
 * STREAMS_FILE: what streams are told, for those who keep it in a file.
 *
 *   streams:
 *     demo:                       # live/demo/in, when its publisher comes
 *       target_languages: [es, de]
 *       output_delay_ms: 6000
 *     studio:                     # with a source of its own: started at once
 *       input_url: rtsp://10.0.0.7/main
 *       destinations:
 *         - name: twitch
 *           url: rtmp://live.twitch.tv/app/key
 *
 * Names and ranges are those of the API. A file with anything else in it is
 * refused as a whole, with the line.
 */
G_BEGIN_DECLS

/* Any thread. id -> DubStreamSettings. defaults: what the service says where
 * the file does not, as some values must fit each other. The message begins
 * with the line and repeats no URL. (transfer full) (nullable) */
GHashTable *dub_streams_file_parse (const char *text, gsize length,
    const DubStreamSettings *defaults, GError **error);
/* The same of a file; the message begins with STREAMS_FILE and the path. */
GHashTable *dub_streams_file_load (
    const char *path, const DubStreamSettings *defaults, GError **error);

/* Gives the file to the orchestrator now and whenever it changes. One that is
 * wrong is logged, and what was there before stays.
 * Thread: the default main context. */
typedef struct _DubStreamsFile DubStreamsFile;

DubStreamsFile *dub_streams_file_new (
    const char *path, DubOrchestrator *orchestrator);
void dub_streams_file_free (DubStreamsFile *self);
/* As on a change. */
void dub_streams_file_reload (DubStreamsFile *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubStreamsFile, dub_streams_file_free)

G_END_DECLS
