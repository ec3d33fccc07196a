/* SPDX-License-Identifier: Apache-2.0 */
#include "tap.h"

#include <dubbing_common/error.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct _DubTap {
  FILE *file;
};

DubTap *
dub_tap_new (const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_strdup_printf ("%s/%s.csv", folder, name);
  FILE *file;
  DubTap *tap;

  if (g_mkdir_with_parents (folder, 0700) < 0 || !(file = fopen (path, "we"))) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        "TAP_DIR: cannot write %s: %s", path, g_strerror (errno));
    return NULL;
  }
  tap = g_new (DubTap, 1);
  tap->file = file;
  return tap;
}

void
dub_tap_free (DubTap *tap)
{
  if (!tap)
    return;
  fclose (tap->file);
  g_free (tap);
}

void
dub_tap_video (DubTap *tap, const DubAccessUnit *unit)
{
  g_autofree char *hash = NULL;

  if (!tap)
    return;
  hash = g_compute_checksum_for_bytes (G_CHECKSUM_SHA1, unit->data);
  fprintf (tap->file, "%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%d,%zu,%s\n",
      unit->pts_ns, unit->dts_ns, unit->is_key, g_bytes_get_size (unit->data),
      hash);
}

void
dub_tap_sound (DubTap *tap, const DubPcm *pcm)
{
  int peak = 0;

  if (!tap)
    return;
  for (gsize i = 0; i < pcm->frames * pcm->channels; i++)
    peak = MAX (peak, abs (pcm->samples[i]));
  fprintf (tap->file, "%" G_GINT64_FORMAT ",%zu,%d\n", pcm->pts_ns, pcm->frames,
      peak);
}
