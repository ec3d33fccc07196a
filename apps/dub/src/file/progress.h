/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * How far a file is: a bar that is drawn again on a terminal, else a plain
 * line at each tenth. Pure but for dub_progress_show ().
 */
G_BEGIN_DECLS

typedef struct {
  double whole_s;
  gboolean is_terminal;
  gint64 begin_us;
  int told; /* the last tenth that was told */
} DubProgress;

void dub_progress_init (
    DubProgress *self, double whole_s, gboolean is_terminal, gint64 now_us);
/* "[#####.....]  50 %  0:36 of 1:13, 0:20 left" (transfer full) */
char *dub_progress_to_text (
    const DubProgress *self, double done_s, gint64 now_us);
/* On standard error. */
void dub_progress_show (DubProgress *self, double done_s, gint64 now_us);
/* The bar gives way to a line of text. */
void dub_progress_clear (DubProgress *self);

G_END_DECLS
