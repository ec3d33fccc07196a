/* SPDX-License-Identifier: Apache-2.0 */
#include "programme/programme.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* The times of a source are outside bytes, and so is all that a service
 * answers. Each input is a list of steps of 10 bytes:
 *
 *   kind, flags, time or length (8 bytes, little-endian)
 *
 * Whatever they are: dts rises, is >= 0 and <= pts; the first picture is a key
 * frame; the sound has no gap and no overlap while the output is open. */
#define STEP 10
#define MAX_STEPS 400
#define RATE 8000
#define MAX_WAIT_NS (20 * DUB_NS_PER_S)

typedef struct {
  gint64 last_dts_ns;
  gint64 sound_end; /* -1: closed */
  gboolean has_video;
  char *fragment_id; /* the last one */
} Seen;

static void
on_video (DubAccessUnit *unit, gpointer user_data)
{
  Seen *seen = user_data;

  g_assert_true (seen->has_video || unit->is_key);
  g_assert_cmpint (unit->dts_ns, >=, 0);
  g_assert_cmpint (unit->dts_ns, >, seen->last_dts_ns);
  g_assert_cmpint (unit->dts_ns, <=, unit->pts_ns);
  seen->last_dts_ns = unit->dts_ns;
  seen->has_video = TRUE;
  dub_access_unit_unref (unit);
}

static void
on_sound (DubPcm *pcm, gpointer user_data)
{
  Seen *seen = user_data;
  gint64 first = dub_ns_to_frames (pcm->pts_ns, RATE);

  if (seen->sound_end >= 0)
    g_assert_cmpint (first, ==, seen->sound_end);
  seen->sound_end = first + (gint64) pcm->frames;
  dub_pcm_unref (pcm);
}

static void
on_fragment (DubFragment *fragment, gpointer user_data)
{
  Seen *seen = user_data;

  g_free (seen->fragment_id);
  seen->fragment_id = g_strdup (fragment->id);
  dub_fragment_unref (fragment);
}

static void
on_event (const DubProgrammeEvent *event, gpointer user_data)
{
  if (event->type == DUB_EVENT_DRAINED)
    ((Seen *) user_data)->sound_end = -1;
}

static void
push_answer (DubProgramme *programme, const Seen *seen, guint8 flags,
    gint64 value, gint64 now_ns)
{
  DubAnswer *answer = dub_answer_new (
      seen->fragment_id != NULL ? seen->fragment_id : "none", flags % 5);

  if (flags & 0x80)
    answer->pcm = dub_pcm_new_silence (
        (gsize) (guint64) value % (4 * RATE), RATE, 1 + (flags >> 6 & 1), 0);
  dub_programme_push_answer (programme, answer, now_ns);
}

/* Most times are near to what came before, or nothing would ever fit. */
static gint64
time_of (guint8 flags, gint64 value, gint64 now_ns)
{
  if (flags & 0x40)
    return value / 2; /* room for what is added to it here */
  return now_ns + value % (3 * DUB_NS_PER_S);
}

static void
step (DubProgramme *programme, Seen *seen, const uint8_t *data, gint64 *now_ns)
{
  guint8 kind = data[0] % 10, flags = data[1];
  gint64 value, at_ns;

  memcpy (&value, data + 2, 8);
  at_ns = time_of (flags, value, *now_ns);
  switch (kind) {
    case 0:
    case 1:
      dub_programme_push_video (programme,
          dub_access_unit_new (DUB_VIDEO_CODEC_H264, g_bytes_new (data, STEP),
              flags & 8 ? g_bytes_new (data, 2) : NULL,
              flags & 2 ? DUB_TIME_NONE : at_ns,
              flags & 4 ? DUB_TIME_NONE : at_ns - (flags >> 4) * 40000000,
              flags & 1),
          *now_ns);
      break;
    case 2:
    case 3:
      dub_programme_push_sound (programme,
          dub_pcm_new_silence ((gsize) (flags & 15) * 32, RATE,
              1 + (flags >> 4 & 1), flags & 0x20 ? DUB_TIME_NONE : at_ns),
          *now_ns);
      break;
    case 4:
    case 5:
      *now_ns += (gint64) ((guint64) value % MAX_WAIT_NS);
      break;
    case 6:
      dub_programme_push_mark (programme, value % (1 << 24), 256, flags & 1,
          -(double) flags, *now_ns);
      break;
    case 7:
      push_answer (programme, seen, flags, value, *now_ns);
      break;
    case 8:
      dub_programme_set_sts (
          programme, flags % 4, flags >> 4, value % DUB_NS_PER_S, *now_ns);
      break;
    default:
      if (flags == 0xff)
        dub_programme_source_ended (programme, *now_ns);
      else if (flags & 1)
        dub_programme_source_reset (programme, *now_ns);
      else
        dub_programme_source_lost (programme, *now_ns);
      break;
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const DubProgrammeSinks sinks = {.video = on_video,
      .sound = on_sound,
      .fragment = on_fragment,
      .event = on_event};
  Seen seen = {.last_dts_ns = -1, .sound_end = -1};
  g_autoptr (DubProgramme) programme = NULL;
  DubProgrammeParams params;
  gint64 now_ns = 1000 * DUB_NS_PER_S;

  if (size < 1 + STEP)
    return 0;
  dub_programme_params_init (&params);
  params.rate_hz = RATE;
  params.output_delay_ns = (3 + data[0] % 28) * DUB_NS_PER_S;
  params.source_loss = 1 + data[0] % 3;
  params.segment_mode =
      data[0] & 0x40 ? DUB_SEGMENT_MODE_FIXED : DUB_SEGMENT_MODE_SPEECH;
  programme = dub_programme_new (&params, &sinks, &seen);
  for (size_t i = 0; i < MAX_STEPS && 1 + (i + 1) * STEP <= size; i++) {
    step (programme, &seen, data + 1 + i * STEP, &now_ns);
    g_assert_cmpint (dub_programme_run (programme, now_ns), >, now_ns);
  }
  g_free (seen.fragment_id);
  return 0;
}
