/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "translation.h"

/*
 * The calls that a translator has under way: ids, and the promise of
 * translation.h that done comes once, later, and never after cancel.
 *
 * A provider begins a call, hands it to its engine as user data, and ends it
 * with an answer; or drops it when it is cancelled. Main thread only.
 */
G_BEGIN_DECLS

typedef struct _DubTranslatorCalls DubTranslatorCalls;

typedef struct {
  guint64 id;
  DubTranslator *translator;
  /* the provider's own: its engine and the id there */
  gpointer engine;
  guint64 engine_id;
  gpointer data;
  GDestroyNotify data_free;
} DubTranslatorCall;

DubTranslatorCalls *dub_translator_calls_new (DubTranslator *translator);
/* Whoever still waits hears nothing any more. */
void dub_translator_calls_free (DubTranslatorCalls *self);

DubTranslatorCall *dub_translator_calls_begin (
    DubTranslatorCalls *self, DubTranslatedFunc done, gpointer user_data);
/* (nullable): it has ended. */
DubTranslatorCall *dub_translator_calls_get (
    DubTranslatorCalls *self, guint64 id);
/* Frees the call, without a word. */
void dub_translator_call_drop (DubTranslatorCall *base);

/* Ends the call: text, or NULL with error. A blank text is an error. */
void dub_translator_call_answer (
    DubTranslatorCall *base, const char *text, const GError *error);
/* The same from the main loop, for an answer that is known at once. error
 * (transfer full) */
void dub_translator_call_answer_later (
    DubTranslatorCall *base, const char *text, GError *error);

G_END_DECLS
