/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_mediacodec/elements.h>

#include <dubbing_common/error.h>
#include <gst/gst.h>

#define CORE "libgstreamer1.0-0"
#define BASE "gstreamer1.0-plugins-base"
#define GOOD "gstreamer1.0-plugins-good"
#define BAD "gstreamer1.0-plugins-bad"
#define LIBAV "gstreamer1.0-libav"

enum {
  MEDIA = DUB_ELEMENTS_MEDIA,
  SPEECH = DUB_ELEMENTS_SPEECH,
  INPUT = DUB_ELEMENTS_INPUT,
};

static const DubElement elements[] = {
    {"queue", NULL, CORE, "threads of a pipeline", MEDIA},
    {"filesrc", NULL, CORE, "files", INPUT | SPEECH},
    {"appsrc", NULL, BASE, "media of ours into GStreamer", MEDIA | SPEECH},
    {"appsink", NULL, BASE, "media out of GStreamer", MEDIA | SPEECH},
    {"audioconvert", NULL, BASE, "channels of the sound", MEDIA | SPEECH},
    {"audioresample", NULL, BASE, "rate of the sound", MEDIA | SPEECH},
    {"decodebin", NULL, BASE, "files of speech", SPEECH},
    {"flvdemux", NULL, GOOD, "RTMP and FLV in", MEDIA},
    {"qtdemux", NULL, GOOD, "MP4 in", INPUT | SPEECH},
    {"aacparse", NULL, GOOD, "AAC of other peers", SPEECH},
    {"rtspsrc", NULL, GOOD, "RTSP in", INPUT},
    {"rtph264depay", NULL, GOOD, "H.264 by RTSP", INPUT},
    {"rtph265depay", NULL, GOOD, "H.265 by RTSP", INPUT},
    {"h264parse", NULL, BAD, "H.264 by RTSP", INPUT},
    {"h265parse", NULL, BAD, "H.265 by RTSP", INPUT},
    {"rtmp2src", NULL, BAD, "RTMP in", MEDIA},
    {"rtmp2sink", NULL, BAD, "RTMP out", MEDIA},
    {"voaacenc", "avenc_aac", BAD, "AAC out", MEDIA | SPEECH},
    {"avdec_aac", NULL, LIBAV, "AAC in", MEDIA | SPEECH},
    {"avdec_mp3", NULL, LIBAV, "MP3 in", INPUT},
    {"avdec_opus", NULL, LIBAV, "Opus in", INPUT},
    {"avdec_ac3", NULL, LIBAV, "AC-3 in", INPUT},
    {NULL},
};

const DubElement *
dub_elements (void)
{
  return elements;
}

static gboolean
is_installed (const char *name)
{
  g_autoptr (GstElementFactory) factory =
      name != NULL ? gst_element_factory_find (name) : NULL;

  return factory != NULL;
}

gboolean
dub_element_exists (const DubElement *element)
{
  return is_installed (element->name) || is_installed (element->other);
}

char *
dub_element_describe (const char *name)
{
  for (const DubElement *element = elements; element->name; element++)
    if (g_str_equal (element->name, name))
      return g_strdup_printf (
          "GStreamer's %s (package %s)", name, element->package);
  return g_strdup_printf ("GStreamer's %s", name);
}

gboolean
dub_elements_check (DubElementUse use, GError **error)
{
  g_autoptr (GString) missing = g_string_new (NULL);

  for (const DubElement *element = elements; element->name; element++) {
    g_autofree char *text = NULL;

    if (!(element->uses & use) || dub_element_exists (element))
      continue;
    text = dub_element_describe (element->name);
    g_string_append_printf (
        missing, "%s%s", missing->len > 0 ? ", " : "", text);
  }
  if (missing->len == 0)
    return TRUE;
  g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
      "missing: %s; `dub doctor` lists all", missing->str);
  return FALSE;
}
