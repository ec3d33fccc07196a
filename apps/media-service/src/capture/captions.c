/* SPDX-License-Identifier: Apache-2.0 */
#include "captions.h"

#include <string.h>

#define MAX_TAG 16

static void
append_time (GString *out, gint64 ns)
{
  gint64 ms = MAX (ns, 0) / 1000000;

  g_string_append_printf (out,
      "%02" G_GINT64_FORMAT ":%02" G_GINT64_FORMAT ":%02" G_GINT64_FORMAT
      ".%03" G_GINT64_FORMAT,
      ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}

/* One line: an empty one would end the cue, and "-->" would begin another. */
static void
append_text (GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  g_strstrip (g_strdelimit (valid, "\r\n\t", ' '));
  for (const char *p = valid; *p; p++)
    switch (*p) {
      case '&':
        g_string_append (out, "&amp;");
        break;
      case '<':
        g_string_append (out, "&lt;");
        break;
      case '>':
        g_string_append (out, "&gt;");
        break;
      default:
        g_string_append_c (out, *p);
        break;
    }
}

char *
dub_captions_cue (gint64 start_ns, gint64 end_ns, const char *text)
{
  GString *out;
  gsize before;

  if (!text || end_ns <= start_ns)
    return NULL;
  out = g_string_new (NULL);
  append_time (out, start_ns);
  g_string_append (out, " --> ");
  append_time (out, end_ns);
  g_string_append_c (out, '\n');
  before = out->len;
  append_text (out, text);
  if (out->len == before) {
    g_string_free (out, TRUE);
    return NULL;
  }
  g_string_append (out, "\n\n");
  return g_string_free (out, FALSE);
}

char *
dub_captions_file (const char *language)
{
  static const char allowed[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-";
  gboolean is_tag = language && *language && strlen (language) <= MAX_TAG &&
                    language[strspn (language, allowed)] == '\0' &&
                    !g_str_equal (language, "auto");

  return g_strdup_printf ("captions.%s.vtt", is_tag ? language : "original");
}
