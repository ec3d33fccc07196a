/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The boxes that an MP4 file's tables are made of, as bytes. A box begins, is
 * filled, and gets its length when it ends; boxes nest. Numbers are big-endian.
 *
 * Pure; any thread.
 */
G_BEGIN_DECLS

void dub_mp4_put_u8 (GByteArray *to, guint value);
void dub_mp4_put_u16 (GByteArray *to, guint value);
void dub_mp4_put_u32 (GByteArray *to, guint32 value);
void dub_mp4_put_u64 (GByteArray *to, guint64 value);
void dub_mp4_put_zeros (GByteArray *to, guint n);
void dub_mp4_put_text (GByteArray *to, const char *text);
void dub_mp4_put_bytes (GByteArray *to, GBytes *bytes);
/* Over what stands at that place. */
void dub_mp4_set_u32 (GByteArray *to, guint at, guint32 value);

/* Where it begins, for dub_mp4_box_end (). */
guint dub_mp4_box_begin (GByteArray *to, const char *type);
/* version_flags: the version in the upper eight bits */
guint dub_mp4_full_box_begin (
    GByteArray *to, const char *type, guint32 version_flags);
void dub_mp4_box_end (GByteArray *to, guint at);

/* Runs of equal values, as stts and ctts want them: a count, and for each run
 * its length and value. */
typedef struct {
  GByteArray *to;
  guint count_at;
  guint32 runs, length, value;
} DubMp4Runs;

DubMp4Runs dub_mp4_runs_begin (GByteArray *to);
void dub_mp4_runs_add (DubMp4Runs *runs, guint32 value);
void dub_mp4_runs_end (DubMp4Runs *runs);

G_END_DECLS
