/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sts_service/processor.h>

/*
 * One fragment as the files it becomes. A value: made on the main thread, used
 * by the writer's.
 */
G_BEGIN_DECLS

typedef struct {
  char *stream, *fragment; /* safe names */
  GPtrArray *files;        /* of DubRecordFile */
  gsize bytes;             /* of all files */
} DubRecord;

typedef struct {
  char *name;
  GBytes *head; /* (nullable): a header that the sound lacks */
  GBytes *data;
} DubRecordFile;

/* Every name that a file of a record can have. NULL-terminated. */
extern const char *const dub_record_names[];

DubRecord *dub_record_new (const DubJob *job, const DubResult *result);
void dub_record_free (DubRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubRecord, dub_record_free)

G_END_DECLS
