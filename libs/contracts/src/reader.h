/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * Reads the fields of one JSON object by the tolerant rules of the wire, and
 * keeps the first failure: the calls after it do nothing, so that a decoder
 * reads field after field and asks once, at the end, with dub_reader_ok ().
 *
 * Null is absent. Integers may come as 5, 5.0, "5" or true. Failures begin
 * with the name of the field: "audio.channels: 3 is not within 1 and 2".
 */
typedef struct _DubReader DubReader;
struct _DubReader {
  DubReader *root;    /* holds the failure; itself at the top */
  JsonObject *object; /* (nullable): everything is absent */
  const char *prefix; /* "audio." */
  GError *failure;
};

typedef enum {
  DUB_FIELD_OPTIONAL = 0,
  DUB_FIELD_REQUIRED,
} DubFieldNeed;

void dub_reader_init (DubReader *self, JsonNode *node);
/* The object in name; absent when it is none (a failure when required). */
void dub_reader_init_child (DubReader *self, DubReader *parent,
    const char *name, const char *prefix, DubFieldNeed need);
/* TRUE when nothing failed; else gives the failure away. Call it once. */
gboolean dub_reader_ok (DubReader *self, GError **error);
void dub_reader_fail (DubReader *self, int code, const char *name,
    const char *format, ...) G_GNUC_PRINTF (4, 5);

/* (transfer none) (nullable): NULL when absent or null. */
JsonNode *dub_reader_get (DubReader *self, const char *name);
/* The first of two names that is there. */
const char *dub_reader_either (
    DubReader *self, const char *name, const char *alias);

/* Length in bytes within [min, max]; (transfer full) (nullable). */
char *dub_reader_string (
    DubReader *self, const char *name, DubFieldNeed need, gsize min, gsize max);
/* The same, but a longer text is cut at a character. */
char *dub_reader_text (DubReader *self, const char *name, gsize max);
gint64 dub_reader_need_int (
    DubReader *self, const char *name, gint64 min, gint64 max);
gint64 dub_reader_int (
    DubReader *self, const char *name, gint64 fallback, gint64 min, gint64 max);
double dub_reader_double (DubReader *self, const char *name, double fallback);
gboolean dub_reader_bool (DubReader *self, const char *name, gboolean fallback);

/* Index of the text in names (NULL-terminated; entry 0 is "none" and never
 * matches); fallback when absent or unknown. */
int dub_reader_enum (
    DubReader *self, const char *name, const char *const *names, int fallback);
