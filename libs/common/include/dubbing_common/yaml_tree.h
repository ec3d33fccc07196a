/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A small YAML file as a tree, for files that people write by hand. Taken are
 * lists, maps with text as keys, and text; each node knows its line. Refused
 * are anchors and aliases (a few lines of which can unfold into gigabytes),
 * explicit tags, a second document, a key given twice, and what is beyond the
 * limits. The limits hold before anything is kept.
 *
 * Pure; any thread.
 */
G_BEGIN_DECLS

#define DUB_YAML_MAX_BYTES (256u * 1024)
#define DUB_YAML_MAX_DEPTH 8
#define DUB_YAML_MAX_NODES 8192
#define DUB_YAML_MAX_TEXT 1024

typedef enum {
  DUB_YAML_NONE = 0,
  DUB_YAML_TEXT,
  DUB_YAML_LIST,
  DUB_YAML_MAP,
} DubYamlKind;

typedef struct _DubYamlNode DubYamlNode;
struct _DubYamlNode {
  DubYamlKind kind;
  guint line;        /* from 1 */
  char *text;        /* of a TEXT; never NULL there */
  GPtrArray *values; /* of a LIST or MAP: DubYamlNode */
  GPtrArray *keys;   /* of a MAP: char *, beside values */
};

/* DUB_ERROR_INVALID or DUB_ERROR_LIMIT; the message begins with the line.
 * (transfer full) (nullable) */
DubYamlNode *dub_yaml_parse (const char *text, gsize length, GError **error);
void dub_yaml_free (DubYamlNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubYamlNode, dub_yaml_free)

/* (nullable) (transfer none); node may be no map, or NULL */
const DubYamlNode *dub_yaml_get (const DubYamlNode *node, const char *key);

G_END_DECLS
