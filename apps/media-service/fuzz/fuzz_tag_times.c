/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/tag_times.h"

#define MAX_SIZE 65536

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  DubTagTimes times = {0};
  gint64 ms;

  if (size > MAX_SIZE)
    return 0;
  dub_tag_times_feed (&times, data, size);
  for (guint i = 0; dub_tag_times_take (&times, i % 2 == 0, &ms); i++)
    g_assert_true (ms >= 0 && ms <= G_MAXUINT32);
  return 0;
}
