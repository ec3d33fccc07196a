/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_voice.h"

#include <dubbing_common/error.h>
#include <math.h>
#include <string.h>

#define MIN_SPEED 0.5
#define MAX_SPEED 2.0
#define MIN_RATE_HZ 8000
#define MAX_RATE_HZ 48000

typedef struct {
  DubTtsDoneFunc done;
  gpointer user_data;
} Call;

static gboolean
is_usable (const DubFrame *answer)
{
  gint64 rate = dub_frame_get_int (answer, "rate_hz", 0);
  gsize bytes = g_bytes_get_size (answer->payload);

  return rate >= MIN_RATE_HZ && rate <= MAX_RATE_HZ && bytes > 0 &&
         bytes % sizeof (float) == 0;
}

static void
on_answer (const DubFrame *answer, const GError *error, gpointer user_data)
{
  g_autofree Call *call = user_data;
  g_autoptr (GError) broken = NULL;

  if (answer == NULL) {
    call->done (NULL, 0, error, call->user_data);
    return;
  }
  if (is_usable (answer)) {
    call->done (answer->payload,
        (guint) dub_frame_get_int (answer, "rate_hz", 0), NULL,
        call->user_data);
    return;
  }
  broken = g_error_new_literal (
      DUB_ERROR, DUB_ERROR_ENGINE, "the engine answered without usable sound");
  call->done (NULL, 0, broken, call->user_data);
}

guint64
dub_engine_voice_ask (DubEngineClient *engine, JsonObject *header,
    const DubTtsRequest *request, const DubVoice *voice, DubTtsDoneFunc done,
    gpointer user_data)
{
  Call *call = g_new (Call, 1);

  *call = (Call){done, user_data};
  json_object_set_string_member (header, "op", "synthesise");
  json_object_set_string_member (header, "text", request->text);
  json_object_set_double_member (
      header, "speed", request->speed * (voice != NULL ? voice->speed : 1));
  return dub_engine_client_request (engine, dub_frame_new (header, NULL),
      request->deadline_ns, on_answer, call);
}

void
dub_engine_voice_cancel (DubEngineClient *engine, guint64 id)
{
  Call *call = dub_engine_client_cancel (engine, id);

  g_free (call);
}

const char *
dub_engine_voice_text (const DubFrame *request, GError **error)
{
  const char *text = dub_frame_get_string (request, "text", "");

  if (strlen (text) > DUB_ENGINE_MAX_TEXT) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "text of %" G_GSIZE_FORMAT " bytes, at most %d are allowed",
        strlen (text), DUB_ENGINE_MAX_TEXT);
    return NULL;
  }
  if (strspn (text, " \t\r\n") == strlen (text)) {
    g_set_error_literal (
        error, DUB_ERROR, DUB_ERROR_INVALID, "there is nothing to say");
    return NULL;
  }
  return text;
}

double
dub_engine_voice_speed (const DubFrame *request)
{
  double speed = dub_frame_get_double (request, "speed", 1);

  return isfinite (speed) ? CLAMP (speed, MIN_SPEED, MAX_SPEED) : 1;
}
