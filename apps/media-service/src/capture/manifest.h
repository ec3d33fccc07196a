/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What manifest.json of a run says: whose run it is, its fragments with their
 * files, counters and the last errors. It is read back when a worker goes on
 * with the run of one that died.
 *
 * Pure: no file, no clock. One owner.
 */
G_BEGIN_DECLS

#define DUB_MANIFEST_MAX_FRAGMENTS 2048
#define DUB_MANIFEST_MAX_ERRORS 64
#define DUB_MANIFEST_MAX_BYTES ((gsize) 16 << 20)

typedef struct {
  char *kind; /* "in-wav" */
  char *path; /* below the run's folder */
  char *sha256;
  guint64 bytes;
  gint64 written_us; /* Unix time */
} DubManifestAsset;

typedef enum {
  DUB_MANIFEST_NONE = 0,
  DUB_MANIFEST_RECEIVED,
  DUB_MANIFEST_PROCESSING,
  DUB_MANIFEST_PROCESSED,
  DUB_MANIFEST_FAILED,
} DubManifestStatus;

/* In ms; -1: not known. */
typedef struct {
  gint64 stt_ms, translate_ms, tts_ms; /* in the stages of the service */
  gint64 total_ms;                     /* from sending to answer */
} DubManifestLatency;
#define DUB_MANIFEST_NO_LATENCY ((DubManifestLatency){-1, -1, -1, -1})

typedef struct {
  char *id; /* number-startMs-endMs: its folder */
  guint64 number;
  gint64 start_ms, end_ms;
  DubManifestStatus status;
  DubManifestLatency latency;
  GPtrArray *assets; /* of DubManifestAsset */
} DubManifestFragment;

/* Of the run; copied. */
typedef struct {
  const char *stream_id, *run_id, *instance_id;
  const char *in, *out; /* as they may be shown (nullable) */
  gint64 delay_ms;
  const char *mode;
  gboolean has_media;
  gint64 now_us;
} DubManifestHead;

typedef struct _DubManifest DubManifest;

DubManifest *dub_manifest_new (const DubManifestHead *head);
void dub_manifest_free (DubManifest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubManifest, dub_manifest_free)

const char *dub_manifest_get_run_id (const DubManifest *self);
void dub_manifest_set_created (DubManifest *self, gint64 created_us);
/* Takes over fragments, counters, errors and the time of making of what was
 * written before. FALSE, and nothing changed: it is not ours or not whole. */
gboolean dub_manifest_load (
    DubManifest *self, const char *text, gsize size, GError **error);
/* (transfer full) */
GBytes *dub_manifest_to_json (DubManifest *self, gint64 now_us);

/* Made when it is not there. Owned by the manifest. */
DubManifestFragment *dub_manifest_open_fragment (
    DubManifest *self, guint64 number, gint64 start_ms, gint64 end_ms);
guint dub_manifest_get_n_fragments (const DubManifest *self);
DubManifestFragment *dub_manifest_get_fragment (
    const DubManifest *self, guint at);
void dub_manifest_remove_fragment (DubManifest *self, guint at);

/* asset: copied; one of that path is replaced. */
void dub_manifest_note_asset (
    DubManifestFragment *fragment, const DubManifestAsset *asset);
/* The path of the one that had to go for it. (transfer full) (nullable) */
char *dub_manifest_note_alert (
    DubManifest *self, const DubManifestAsset *asset);
/* Of all that is listed. */
guint64 dub_manifest_get_bytes (const DubManifest *self);

void dub_manifest_count (DubManifest *self, const char *name, gint64 by);
/* scope: "run", "fragment" or "asset"; the last ones are kept. */
void dub_manifest_add_error (DubManifest *self, gint64 now_us,
    const char *scope, const char *message, const char *asset_path);

G_END_DECLS
