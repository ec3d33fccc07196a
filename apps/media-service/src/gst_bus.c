/* SPDX-License-Identifier: Apache-2.0 */
#include <media_service/gst_bus.h>

#define DUB_LOG_TOPIC "media.gstreamer"
#include <dubbing_common/log.h>
#include <media_service/safe_text.h>
#include <stdatomic.h>

static _Atomic guint64 errors[DUB_BUS_N_ERRORS];
static _Atomic guint64 warnings;

const char *
dub_bus_error_to_string (DubBusError error)
{
  static const char *const names[] = {
      "pipeline_error", "element_error", "stream_error", "negotiation_error"};

  return error < DUB_BUS_N_ERRORS ? names[error] : "none";
}

static DubBusError
kind_of (const GError *error)
{
  if (g_error_matches (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION) ||
      g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT))
    return DUB_BUS_NEGOTIATION_ERROR;
  if (error->domain == GST_STREAM_ERROR)
    return DUB_BUS_STREAM_ERROR;
  if (error->domain == GST_CORE_ERROR)
    return DUB_BUS_PIPELINE_ERROR;
  return DUB_BUS_ELEMENT_ERROR;
}

static void
note_warning (GstMessage *message, const char *url)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;
  g_autofree char *text = NULL;
  g_autofree char *safe = NULL;

  warnings++;
  gst_message_parse_warning (message, &error, &debug);
  text = g_strdup_printf ("%s: %s (%s)", GST_MESSAGE_SRC_NAME (message),
      error->message, debug ? debug : "no detail");
  safe = *url ? dub_safe_text (text, url) : g_strdup (text);
  dub_warning ("%s", safe);
}

void
dub_bus_note (GstMessage *message, const char *url)
{
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING)
    note_warning (message, url);
  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR)
    return;
  gst_message_parse_error (message, &error, NULL);
  errors[kind_of (error)]++;
}

void
dub_bus_get_counts (DubBusCounts *ret_counts)
{
  for (guint i = 0; i < DUB_BUS_N_ERRORS; i++)
    ret_counts->errors[i] = errors[i];
  ret_counts->warnings = warnings;
}
