/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engines.h"

/*
 * Which engines dub one language into another on this machine: the best ones
 * that are there, and, for a live stream, that keep up. Pure.
 *
 *   recognition ──▶ (translation) ──▶ synthesis
 *
 * Whisper translates into English itself, so a chain into English has no
 * translation; nor has one whose languages are the same.
 *
 * A chain is carried live when a piece of speech of five seconds is through in
 * 2.3 s, what docs/internals/timeline.md leaves to the engines; a file waits.
 */
G_BEGIN_DECLS

typedef struct {
  const DubEngine *recognition;
  const DubEngine *translation; /* (nullable) */
  const DubEngine *synthesis;
  double rtf;         /* of all; 0 when it was not measured */
  gboolean is_live;   /* it keeps up; FALSE too when nothing was measured */
  guint live_streams; /* so many at once */
} DubChain;

typedef struct {
  const char *from; /* a language, or "auto" */
  const char *to;
  const char *synthesiser; /* (nullable): only this one; "auto" is any */
  /* The best that keeps up (with none, the quickest); else the best. */
  gboolean wants_live;
} DubChainWish;

/* DUB_ERROR_INVALID when a language is no tag, as "es", "pt-BR". */
gboolean dub_chain_check_wish (const DubChainWish *wish, GError **error);

/* The chain points into engines. DUB_ERROR_NOT_FOUND names what is missing, and
 * what brings it. */
gboolean dub_chain_pick (const DubEngines *engines, const DubChainWish *wish,
    DubChain *ret_chain, GError **error);

/* "whisper ggml-base.bin + piper piper-en_US-joe-medium (0.47 s of work per
 * second of speech)" (transfer full) */
char *dub_chain_to_string (const DubChain *chain);

/* NAME=value of sts-service, added to environment (transfer full). */
char **dub_chain_add_to_environment (const DubChain *chain, char **environment);

G_END_DECLS
