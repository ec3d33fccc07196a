/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdio.h>

#define WIDTH 30

void
dub_progress_init (
    DubProgress *self, double whole_s, gboolean is_terminal, gint64 now_us)
{
  *self = (DubProgress){.whole_s = MAX (whole_s, 0.001),
      .is_terminal = is_terminal,
      .begin_us = now_us};
}

static char *
clock_text (double seconds)
{
  guint whole = (guint) MAX (seconds, 0);

  if (whole >= 3600)
    return g_strdup_printf (
        "%u:%02u:%02u", whole / 3600, whole / 60 % 60, whole % 60);
  return g_strdup_printf ("%u:%02u", whole / 60, whole % 60);
}

static double
share_of (const DubProgress *self, double done_s)
{
  return CLAMP (done_s / self->whole_s, 0, 1);
}

char *
dub_progress_to_text (const DubProgress *self, double done_s, gint64 now_us)
{
  double share = share_of (self, done_s);
  double spent_s = (double) (now_us - self->begin_us) / G_USEC_PER_SEC;
  g_autofree char *done = clock_text (MIN (done_s, self->whole_s));
  g_autofree char *whole = clock_text (self->whole_s);
  g_autofree char *left =
      clock_text (share > 0 ? spent_s * (1 - share) / share : 0);
  char bar[WIDTH + 1];

  for (int i = 0; i < WIDTH; i++)
    bar[i] = i < (int) (share * WIDTH) ? '#' : '.';
  bar[WIDTH] = '\0';
  return g_strdup_printf ("[%s] %3d %%  %s of %s%s%s%s", bar,
      (int) (share * 100), done, whole, share > 0 ? ", " : "",
      share > 0 ? left : "", share > 0 ? " left" : "");
}

void
dub_progress_show (DubProgress *self, double done_s, gint64 now_us)
{
  g_autofree char *text = dub_progress_to_text (self, done_s, now_us);
  int tenth = (int) (share_of (self, done_s) * 10);

  if (self->is_terminal)
    fprintf (stderr, "\r%s\033[K", text);
  else if (tenth > self->told)
    fprintf (stderr, "%s\n", text);
  self->told = MAX (self->told, tenth);
  fflush (stderr);
}

void
dub_progress_clear (DubProgress *self)
{
  if (self->is_terminal)
    fputs ("\r\033[K", stderr);
}
