/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <dubbing_common/error.h>
#include <gst/pbutils/pbutils.h>

#define TIMEOUT (10 * GST_SECOND)

static const char *const containers[] = {
    "video/quicktime", "video/x-flv", NULL};
static const char *const videos[] = {"video/x-h264", "video/x-h265", NULL};
static const char *const sounds[] = {
    "audio/mpeg", "audio/x-opus", "audio/x-ac3", NULL};

static gboolean
refuse (const char *path, const char *why, GError **error)
{
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED, "%s: %s", path, why);
  return FALSE;
}

static gboolean
is_one_of (GstDiscovererStreamInfo *stream, const char *const *names)
{
  g_autoptr (GstCaps) caps = gst_discoverer_stream_info_get_caps (stream);

  return caps != NULL && gst_caps_get_size (caps) > 0 &&
         g_strv_contains (
             names, gst_structure_get_name (gst_caps_get_structure (caps, 0)));
}

/* list: of streams, freed here. what: "video" */
static gboolean
check_streams (GList *list, const char *const *names, const char *path,
    const char *what, GError **error)
{
  gboolean is_there = list != NULL;
  gboolean is_known = is_there && is_one_of (list->data, names);
  g_autofree char *none = g_strdup_printf ("it has no %s", what);
  g_autofree char *odd = g_strdup_printf ("its %s is not of a kind that we "
                                          "take (H.264, H.265; AAC, MP3, "
                                          "Opus, AC-3)",
      what);

  gst_discoverer_stream_info_list_free (list);
  if (!is_there)
    return refuse (path, none, error);
  return is_known || refuse (path, odd, error);
}

static gboolean
check (GstDiscovererInfo *info, const char *path, GError **error)
{
  g_autoptr (GstDiscovererStreamInfo) top =
      gst_discoverer_info_get_stream_info (info);

  if (top == NULL)
    return refuse (path, "it is no media file", error);
  if (!check_streams (gst_discoverer_info_get_video_streams (info), videos,
          path, "video", error) ||
      !check_streams (gst_discoverer_info_get_audio_streams (info), sounds,
          path, "sound", error))
    return FALSE;
  return is_one_of (top, containers) ||
         refuse (path, "MP4, MOV and FLV files are taken", error);
}

gboolean
dub_probe_file (const char *path, DubProbe *ret_probe, GError **error)
{
  g_autoptr (GstDiscoverer) discoverer = NULL;
  g_autoptr (GstDiscovererInfo) info = NULL;
  g_autoptr (GError) cause = NULL;
  g_autofree char *url = NULL;

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "%s: there is no such file", path);
    return FALSE;
  }
  url = gst_filename_to_uri (path, error);
  discoverer = url != NULL ? gst_discoverer_new (TIMEOUT, error) : NULL;
  if (discoverer == NULL)
    return FALSE;
  info = gst_discoverer_discover_uri (discoverer, url, &cause);
  if (info == NULL ||
      gst_discoverer_info_get_result (info) == GST_DISCOVERER_ERROR)
    return refuse (
        path, cause != NULL ? cause->message : "not readable", error);
  if (!check (info, path, error))
    return FALSE;
  ret_probe->duration_s =
      (double) gst_discoverer_info_get_duration (info) / GST_SECOND;
  return TRUE;
}
