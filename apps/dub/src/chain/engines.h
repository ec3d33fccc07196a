/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * What `sts-service measure --json` found on this machine: the engines it
 * knows, which of them are there, and what they cost. The answer is kept in
 * the cache folder until the machine or the build changes, since measuring
 * takes ten seconds or more.
 *
 * A value: immutable once made. The main thread only.
 */
G_BEGIN_DECLS

typedef struct {
  char *stage; /* "recognition", "translation", "synthesis" */
  char *provider;
  char *model;         /* "" for none */
  char *languages;     /* "en es", "*"; of a translator pairs: "en-es" */
  char *bring;         /* what brings it */
  char *state;         /* "ready", "missing", "broken" */
  char *why;           /* (nullable) */
  char *about;         /* what is to be known of it; "": it is a usual one */
  gboolean translates; /* a recogniser, into English in the same pass */
  gboolean is_remote;  /* a server: it takes nothing of this machine */
  double load_s, rtf, memory_mib;
  gboolean is_measured;
} DubEngine;

/* The better engine of a stage comes first. */
typedef struct {
  guint cores;
  GPtrArray *list; /* DubEngine */
} DubEngines;

/* DUB_ERROR_INVALID when text is not what measure prints. Pure.
 * (transfer full) (nullable) */
DubEngines *dub_engines_parse (const char *text, GError **error);
void dub_engines_free (DubEngines *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubEngines, dub_engines_free)

typedef enum {
  DUB_ENGINES_NONE = 0,
  DUB_ENGINES_QUICK,   /* what is there; measures nothing */
  DUB_ENGINES_CACHED,  /* measures when nothing is known */
  DUB_ENGINES_MEASURE, /* measures in any case */
} DubEnginesHow;

/* Asks sts-service. (transfer full) (nullable) */
DubEngines *dub_engines_find (DubEnginesHow how, GError **error);

G_END_DECLS
