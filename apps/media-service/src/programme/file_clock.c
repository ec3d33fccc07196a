/* SPDX-License-Identifier: Apache-2.0 */
#include "file_clock.h"

gint64
dub_file_clock_ns (const DubFileProgress *progress, gint64 block_ns)
{
  gint64 edge_ns = progress->dubbing_ns;
  gint64 video_ns =
      MAX (progress->video_ns, progress->sound_ns - DUB_FILE_TRACK_SLACK_NS);
  gint64 speech_ns = progress->speech_ns;

  if (progress->sound_ns < progress->video_ns - DUB_FILE_TRACK_SLACK_NS)
    speech_ns = progress->video_ns - DUB_FILE_TRACK_SLACK_NS;
  if (!progress->is_ended)
    edge_ns = MIN (edge_ns, MIN (video_ns, speech_ns));
  return edge_ns == G_MAXINT64 ? edge_ns : edge_ns - block_ns;
}
