/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "pipeline_private.h"

/*
 * One made-up fragment through every engine before the service says that it
 * is ready: the synthesiser speaks a few numbers, the recogniser hears them,
 * the translator translates. What they make of it does not matter; that they
 * answer does. A model can load and still be no use, a key can be wrong.
 *
 * Begins when the engines are up, and anew some seconds after it failed, until
 * it has passed once. Main thread only.
 */
G_BEGIN_DECLS

/* The languages of streams that name none: tried first (nullable). */
DubTrial *dub_trial_new (
    DubPipeline *pipeline, const char *source, const char *target);
/* Before the engines go. */
void dub_trial_free (DubTrial *self);
/* Else why not yet. */
gboolean dub_trial_has_passed (DubTrial *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubTrial, dub_trial_free)

G_END_DECLS
