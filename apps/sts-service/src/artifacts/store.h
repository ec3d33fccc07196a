/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "record.h"
#include "settings.h"

/*
 * The folder of records: writes them whole, keeps the newest within the
 * limits. Begins with what is there from before.
 *
 * Blocking; one thread at a time.
 */
G_BEGIN_DECLS

typedef struct _DubStore DubStore;

DubStore *dub_store_new (const DubArtifactsOptions *options);
void dub_store_free (DubStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubStore, dub_store_free)

/* Nothing is left of one that fails. GIO and GLib file errors. */
gboolean dub_store_put (
    DubStore *store, const DubRecord *record, GError **error);
/* What is too old goes. unix_s: now. */
void dub_store_tidy (DubStore *store, gint64 unix_s);
guint dub_store_get_count (DubStore *store);

G_END_DECLS
