/* SPDX-License-Identifier: Apache-2.0 */
#include "word_times.h"

#include <string.h>

#define FRAME_MS 10
/* Of the loud frames' power: 20 dB below it a voice pauses. */
#define QUIET 0.01
#define LOUD_SHARE 0.9

static int
compare (gconstpointer a, gconstpointer b)
{
  float x = *(const float *) a, y = *(const float *) b;

  return (x > y) - (x < y);
}

/* Mean square of each whole frame. (transfer full) */
static float *
powers_of (const float *samples, gsize n_frames, gsize step)
{
  float *powers = g_new (float, n_frames);

  for (gsize i = 0; i < n_frames; i++) {
    double sum = 0;

    for (gsize j = i * step; j < (i + 1) * step; j++)
      sum += (double) samples[j] * samples[j];
    powers[i] = (float) (sum / (double) step);
  }
  return powers;
}

static float
loud_power (const float *powers, gsize n_frames)
{
  g_autofree float *sorted = g_memdup2 (powers, n_frames * sizeof *powers);

  qsort (sorted, n_frames, sizeof *sorted, compare);
  return sorted[(gsize) ((double) (n_frames - 1) * LOUD_SHARE)];
}

/* The frames in which somebody speaks, all where that cannot be told.
 * (transfer full) */
static GArray *
spoken_frames (const float *powers, gsize n_frames)
{
  float least = loud_power (powers, n_frames) * (float) QUIET;
  GArray *frames = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < n_frames; i++)
    if (powers[i] >= least)
      g_array_append_val (frames, i);
  return frames;
}

static gboolean
is_unspaced (gunichar sign)
{
  switch (g_unichar_get_script (sign)) {
    case G_UNICODE_SCRIPT_HAN:
    case G_UNICODE_SCRIPT_HIRAGANA:
    case G_UNICODE_SCRIPT_KATAKANA:
    case G_UNICODE_SCRIPT_THAI:
    case G_UNICODE_SCRIPT_LAO:
    case G_UNICODE_SCRIPT_MYANMAR:
    case G_UNICODE_SCRIPT_KHMER:
    case G_UNICODE_SCRIPT_TIBETAN:
      return TRUE;
    default:
      return FALSE;
  }
}

/* Marks belong to the sign before them. */
static const char *
end_of_word (const char *at)
{
  gboolean is_sign = is_unspaced (g_utf8_get_char (at));

  for (at = g_utf8_next_char (at); *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    if (g_unichar_isspace (c) ||
        ((is_sign || is_unspaced (c)) && !g_unichar_ismark (c) &&
            !g_unichar_ispunct (c)))
      break;
  }
  return at;
}

/* (transfer full) */
static GPtrArray *
words_of (const char *text)
{
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);

  while (*text != '\0' && words->len <= DUB_WORD_TIMES_MAX) {
    const char *end = text;

    if (g_unichar_isspace (g_utf8_get_char (text))) {
      text = g_utf8_next_char (text);
      continue;
    }
    end = end_of_word (text);
    g_ptr_array_add (words, g_strndup (text, (gsize) (end - text)));
    text = end;
  }
  return words;
}

static JsonArray *
place (const GPtrArray *words, const GArray *frames)
{
  JsonArray *array = json_array_new ();
  glong letters = 0, before = 0;

  for (guint i = 0; i < words->len; i++)
    letters += g_utf8_strlen (words->pdata[i], -1);
  for (guint i = 0; i < words->len; i++) {
    glong after = before + g_utf8_strlen (words->pdata[i], -1);
    guint first = (guint) ((gint64) frames->len * before / letters);
    guint end = (guint) ((gint64) frames->len * after / letters);
    guint last = MAX (end, first + 1) - 1;
    JsonObject *word = json_object_new ();

    json_object_set_string_member (word, "word", words->pdata[i]);
    json_object_set_int_member (word, "start_time_ms",
        (gint64) g_array_index (frames, guint, first) * FRAME_MS);
    json_object_set_int_member (word, "end_time_ms",
        ((gint64) g_array_index (frames, guint, last) + 1) * FRAME_MS);
    json_array_add_object_element (array, word);
    before = after;
  }
  return array;
}

JsonArray *
dub_word_times_estimate (
    const char *text, const float *samples, gsize n_samples, guint rate_hz)
{
  gsize step = rate_hz * FRAME_MS / 1000;
  gsize n_frames = step > 0 ? n_samples / step : 0;
  g_autoptr (GPtrArray) words = NULL;
  g_autoptr (GArray) frames = NULL;
  g_autofree float *powers = NULL;

  if (text == NULL || n_frames == 0 || n_frames > G_MAXUINT ||
      !g_utf8_validate (text, -1, NULL))
    return NULL;
  words = words_of (text);
  if (words->len == 0 || words->len > DUB_WORD_TIMES_MAX)
    return NULL;
  powers = powers_of (samples, n_frames, step);
  frames = spoken_frames (powers, n_frames);
  return place (words, frames);
}
