/* SPDX-License-Identifier: Apache-2.0 */
#include "capture_feed.h"

static DubCaptureNoteType
type_of (const DubProgrammeEvent *event)
{
  switch (event->type) {
    case DUB_EVENT_FRAGMENT_SENT:
      return DUB_CAPTURE_NOTE_SENT;
    case DUB_EVENT_DUB_STARTED:
      return DUB_CAPTURE_NOTE_STARTED;
    case DUB_EVENT_DUB_HEARD:
      return DUB_CAPTURE_NOTE_HEARD;
    case DUB_EVENT_DUB_DROPPED:
      return DUB_CAPTURE_NOTE_DROPPED;
    case DUB_EVENT_FALLBACK:
      return DUB_CAPTURE_NOTE_FALLBACK;
    default:
      return DUB_CAPTURE_NOTE_NONE;
  }
}

static const char *
alert_of (const DubProgrammeEvent *event)
{
  if (event->type == DUB_EVENT_BREAKER &&
      g_strcmp0 (event->detail, "open") == 0)
    return "breaker-open";
  return event->type == DUB_EVENT_HOLD_BEGIN ? "source-lost" : NULL;
}

void
dub_capture_feed (DubCapture *capture, const DubProgrammeEvent *event)
{
  const char *alert = alert_of (event);
  DubCaptureNote note = {
      .type = alert ? DUB_CAPTURE_NOTE_ALERT : type_of (event),
      .fragment_id = event->fragment_id,
      .detail = alert ? alert : event->detail,
      .media_ns = event->media_ns,
  };

  if (!capture)
    return;
  if (event->type == DUB_EVENT_SEGMENT)
    dub_capture_segment (capture, event->fragment);
  else if (note.type != DUB_CAPTURE_NOTE_NONE)
    dub_capture_note (capture, &note);
}
