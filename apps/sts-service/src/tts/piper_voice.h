/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What a Piper voice's folder says of itself: model.onnx, tokens.txt, and
 * model.onnx.json, which came with it.
 *
 * Blocking; any thread.
 */
G_BEGIN_DECLS

typedef struct {
  char *model;
  char *tokens;
  char *language;     /* "en" */
  char *espeak_voice; /* "en-us" */
} DubPiperVoice;

/* A voice without its configuration is taken for an English one; a missing
 * model is the child's to report. Any folder gives a voice. */
DubPiperVoice *dub_piper_voice_read (const char *folder);
void dub_piper_voice_free (DubPiperVoice *voice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubPiperVoice, dub_piper_voice_free)

G_END_DECLS
