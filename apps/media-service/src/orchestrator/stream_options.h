/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What a publisher may ask for in the query string of its URL
 * (rtmp://host/live/demo/in?to=es): languages and voice, and nothing else, as
 * anyone who may publish can write there. What is not understood, or is no
 * plain word of at most 32 letters, digits, '-', '_' and '.', is left out.
 *
 * Any thread.
 */
G_BEGIN_DECLS

typedef struct {
  char *source_language; /* from=   (nullable) each */
  char *target_language; /* to=     */
  char *voice_profile;   /* voice=  */
} DubStreamOptions;

/* query: (nullable), with or without its '?'. (transfer full) */
DubStreamOptions *dub_stream_options_parse (const char *query);
gboolean dub_stream_options_equal (
    const DubStreamOptions *a, const DubStreamOptions *b);
void dub_stream_options_free (DubStreamOptions *options);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubStreamOptions, dub_stream_options_free)

/* As in a path live/<id>/in. */
#define DUB_STREAM_ID_MAX 64
gboolean dub_stream_id_is_valid (const char *stream_id);

G_END_DECLS
