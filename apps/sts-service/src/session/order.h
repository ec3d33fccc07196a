/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Puts results back into the order of their sequence numbers.
 *
 * The first number is 0 and each follows the last. A result is held until its
 * predecessor is out, or until it has waited for the gap timeout: then the gap
 * is skipped, so that a lost fragment costs a pause and never the stream. A
 * stream whose first number is not 0 begins there when nothing lower has come
 * for a moment. A number below the next one (late, or a duplicate) goes out at
 * once.
 *
 * No clock inside: time is an argument, any unit of nanoseconds that rises.
 * Not thread-safe.
 */
G_BEGIN_DECLS

typedef struct _DubOrder DubOrder;

DubOrder *dub_order_new (
    gint64 gap_timeout_ns, gint64 base_timeout_ns, GDestroyNotify free_item);
void dub_order_free (DubOrder *order);

/* A fragment was accepted; its result will be put later. */
void dub_order_expect (DubOrder *order, guint64 number);
/* item (transfer full); NULL: nothing is to go out for this number, but it
 * leaves no gap either (a refused fragment). */
void dub_order_put (
    DubOrder *order, guint64 number, gpointer item, gint64 now_ns);
/* The next item that may go out at now_ns; NULL: none. G_MAXINT64 as now_ns
 * takes all, gaps or not. (transfer full) (nullable) */
gpointer dub_order_pop (DubOrder *order, gint64 now_ns);
/* When pop will have more without another put; G_MAXINT64: never. */
gint64 dub_order_wake_ns (DubOrder *order);
/* Items that wait for a predecessor. */
guint dub_order_get_held (DubOrder *order);
/* Gaps that were skipped. */
guint64 dub_order_get_skipped (DubOrder *order);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubOrder, dub_order_free)

G_END_DECLS
