/* SPDX-License-Identifier: Apache-2.0 */
#include "espeak_engine.h"

#include "engine_voice.h"

#include <dubbing_common/error.h>
#include <espeak-ng/speak_lib.h>
#include <math.h>
#include <string.h>

/* Words per minute of speed 1, and what the library takes. */
#define NORMAL_WPM 175
#define MIN_WPM 80
#define MAX_WPM 450
#define NORMAL_PITCH 50
#define PITCH_PER_SEMITONE 8
#define BUFFER_MS 200

typedef struct {
  int rate_hz;
} Espeak;

/* The one request that is spoken; the library gives no other way to reach it
 * from its callback in every case. */
static struct {
  GByteArray *sound;
  gint64 deadline_ns;
  gboolean is_late;
  gboolean is_too_long;
} saying;

static int
on_sound (short *samples, int count, espeak_EVENT *events)
{
  if (samples == NULL || count <= 0)
    return 0;
  saying.is_late = g_get_monotonic_time () * 1000 >= saying.deadline_ns;
  saying.is_too_long = saying.sound->len + (gsize) count * sizeof (float) >
                       DUB_FRAME_MAX_PAYLOAD;
  if (saying.is_late || saying.is_too_long)
    return 1; /* no more of it */
  for (int i = 0; i < count; i++) {
    float value = (float) samples[i] / 32768;
    g_byte_array_append (saying.sound, (const guint8 *) &value, sizeof value);
  }
  return 0;
}

static gpointer
espeak_load (const DubFrame *settings, JsonObject *ready, GError **error)
{
  Espeak *self = NULL;
  int rate_hz = espeak_Initialize (
      AUDIO_OUTPUT_SYNCHRONOUS, BUFFER_MS, NULL, espeakINITIALIZE_DONT_EXIT);

  if (rate_hz < 0) {
    g_set_error_literal (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "espeak-ng has no data on this machine (package espeak-ng-data)");
    return NULL;
  }
  espeak_SetSynthCallback (on_sound);
  self = g_new0 (Espeak, 1);
  self->rate_hz = rate_hz;
  json_object_set_int_member (ready, "rate_hz", rate_hz);
  return self;
}

static gboolean
set_voice (const DubFrame *request, GError **error)
{
  const char *name = dub_frame_get_string (request, "voice", "en-us");
  double pitch = dub_frame_get_double (request, "pitch", 0);
  double wpm = NORMAL_WPM * dub_engine_voice_speed (request);

  if (espeak_SetVoiceByName (name) != EE_OK) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "espeak-ng has no voice '%s'", name);
    return FALSE;
  }
  espeak_SetParameter (
      espeakRATE, (int) CLAMP (lround (wpm), MIN_WPM, MAX_WPM), 0);
  espeak_SetParameter (espeakPITCH,
      (int) CLAMP (NORMAL_PITCH + PITCH_PER_SEMITONE * pitch, 0, 99), 0);
  return TRUE;
}

static gboolean
speak (const char *text, GError **error)
{
  espeak_ERROR status = espeak_Synth (text, strlen (text) + 1, 0, POS_CHARACTER,
      0, espeakCHARS_UTF8, NULL, NULL);

  if (saying.is_late)
    g_set_error_literal (
        error, DUB_ERROR, DUB_ERROR_TIMEOUT, "synthesis did not end in time");
  else if (saying.is_too_long)
    g_set_error (error, DUB_ERROR, DUB_ERROR_LIMIT,
        "the speech is longer than %u bytes", DUB_FRAME_MAX_PAYLOAD);
  else if (status != EE_OK || saying.sound->len == 0)
    g_set_error (error, DUB_ERROR, DUB_ERROR_ENGINE,
        "espeak-ng gave no sound (%d)", (int) status);
  else
    return TRUE;
  return FALSE;
}

static DubFrame *
espeak_handle (gpointer state, const DubFrame *request, GError **error)
{
  Espeak *self = state;
  const char *text = dub_engine_voice_text (request, error);
  g_autoptr (GByteArray) sound = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;
  JsonObject *header = NULL;

  if (text == NULL || !set_voice (request, error))
    return NULL;
  saying.sound = sound;
  saying.deadline_ns = dub_frame_get_int (request, "deadline_ns", G_MAXINT64);
  saying.is_late = saying.is_too_long = FALSE;
  if (!speak (text, error))
    return NULL;
  bytes = g_bytes_new (sound->data, sound->len);
  header = json_object_new ();
  json_object_set_int_member (header, "rate_hz", self->rate_hz);
  return dub_frame_new (header, bytes);
}

static void
espeak_unload (gpointer state)
{
  espeak_Terminate ();
  g_free (state);
}

const DubEngineKind dub_espeak_engine = {
    .kind = "espeak",
    .load = espeak_load,
    .handle = espeak_handle,
    .unload = espeak_unload,
};

/* ---- what voices there are ---------------------------------------------- */

typedef struct {
  char *identifier; /* "roa/fr": what espeak_SetVoiceByName takes */
  guint8 priority;  /* of it for the language; the lowest is the best */
} Named;

static void
named_free (gpointer data)
{
  Named *named = data;

  g_free (named->identifier);
  g_free (named);
}

static void
add_name (GHashTable *names, const char *name, const char *identifier,
    guint8 priority)
{
  g_autofree char *key = g_ascii_strdown (name, -1);
  Named *known = g_hash_table_lookup (names, key);
  Named *named = NULL;

  if (known != NULL && known->priority <= priority)
    return;
  named = g_new (Named, 1);
  *named = (Named){g_strdup (identifier), priority};
  g_hash_table_replace (names, g_steal_pointer (&key), named);
}

/* Its languages: a priority byte and a tag, again and again, then a zero. */
static void
add_voice (GHashTable *names, const espeak_VOICE *voice)
{
  const char *slash = strrchr (voice->identifier, '/');

  add_name (names, voice->identifier, voice->identifier, 0);
  if (slash != NULL)
    add_name (names, slash + 1, voice->identifier, 0);
  for (const char *p = voice->languages; p != NULL && *p != '\0';
       p += strlen (p + 1) + 2)
    add_name (names, p + 1, voice->identifier, (guint8) *p);
}

static GHashTable *
list_voices (void)
{
  GHashTable *names =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, named_free);
  const espeak_VOICE **voices = NULL;

  if (espeak_Initialize (
          AUDIO_OUTPUT_SYNCHRONOUS, 0, NULL, espeakINITIALIZE_DONT_EXIT) < 0)
    return names;
  voices = espeak_ListVoices (NULL);
  for (guint i = 0; voices != NULL && voices[i] != NULL; i++)
    add_voice (names, voices[i]);
  espeak_Terminate ();
  return names;
}

char *
dub_espeak_find_voice (const char *name)
{
  static GHashTable *names;
  gsize length = strcspn (name, "+");
  g_autofree char *wanted = g_ascii_strdown (name, (gssize) length);
  const Named *named = NULL;

  if (names == NULL)
    names = list_voices ();
  named = g_hash_table_lookup (names, wanted);
  return named != NULL ? g_strconcat (named->identifier, name + length, NULL)
                       : NULL;
}
