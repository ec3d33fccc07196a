/* SPDX-License-Identifier: Apache-2.0 */
#include "capture_writer.h"

#define DUB_LOG_TOPIC "media.capture"
#include "asset_json.h"
#include "captions.h"
#include "run_folder.h"
#include "wav.h"

#include <dubbing_common/log.h>

#define LOG_PATH "logs/worker.log"
/* An answer can come for as many of the last segments. */
#define MAX_OPEN 64
/* A manifest of a long run is large: it is not written for each file. */
#define FLUSH_US (2 * G_USEC_PER_SEC)
/* Also the sign that the run is alive, for who looks for old ones. */
#define HISTORY_US (G_GINT64_CONSTANT (600) * G_USEC_PER_SEC)
#define TIDY_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)
#define RECOVERED_US (10 * G_USEC_PER_SEC)
/* One alert of a kind in so long: they are for people. */
#define ALERT_US (10 * G_USEC_PER_SEC)

struct _DubCaptureWriter {
  DubCaptureMode mode;
  char *stream_id, *run_id, *instance_id;
  char *dub_captions, *source_captions; /* names of files */
  DubRunFolder *folder;
  GQueue open; /* DubFragmentStory */
  gboolean is_failing;
  gint64 failed_us;                         /* monotonic, the last time */
  gint64 flushed_us, history_us, tidied_us; /* monotonic; 0: never */
  GHashTable *alerts;                       /* kind -> gint64 *, monotonic */
  guint64 written, failed;
};

static const char *
mode_name (DubCaptureMode mode)
{
  static const char *const names[] = {"off", "metadata", "media", "debug"};

  return names[mode];
}

static gboolean
has_media (DubCaptureMode mode)
{
  return mode == DUB_CAPTURE_MEDIA || mode == DUB_CAPTURE_DEBUG;
}

DubCaptureWriter *
dub_capture_writer_new (const DubCaptureOptions *options)
{
  DubCaptureWriter *self = g_new0 (DubCaptureWriter, 1);
  DubRunFolderOptions folder = {
      .folder = options->folder,
      .stream_id = options->stream_id,
      .run_id = options->run_id,
      .instance_id = options->instance_id,
      .input_url = options->input_url,
      .output_url = options->output_url,
      .delay_ms = options->delay_ms,
      .mode = mode_name (options->mode),
      .has_media = has_media (options->mode),
      .max_bytes = options->max_bytes,
      .max_age_s = options->max_age_s,
  };

  self->mode = options->mode;
  self->stream_id = g_strdup (options->stream_id);
  self->run_id = g_strdup (options->run_id);
  self->instance_id = g_strdup (options->instance_id);
  self->dub_captions = dub_captions_file (
      options->target_language ? options->target_language : "dub");
  self->source_captions = dub_captions_file (
      g_strcmp0 (options->source_language, options->target_language) == 0
          ? "auto"
          : options->source_language);
  self->folder = dub_run_folder_new (&folder);
  g_queue_init (&self->open);
  self->alerts =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

static void
story_free (gpointer data)
{
  DubFragmentStory *story = data;

  dub_fragment_unref (story->fragment);
  g_clear_pointer (&story->answer, dub_answer_unref);
  g_free ((char *) story->detail);
  g_free (story);
}

void
dub_capture_writer_free (DubCaptureWriter *self)
{
  if (!self)
    return;
  g_queue_clear_full (&self->open, story_free);
  g_hash_table_unref (self->alerts);
  dub_run_folder_free (self->folder);
  g_free (self->stream_id);
  g_free (self->run_id);
  g_free (self->instance_id);
  g_free (self->dub_captions);
  g_free (self->source_captions);
  g_free (self);
}

void
dub_capture_writer_get_stats (
    DubCaptureWriter *self, DubCaptureStats *ret_stats)
{
  *ret_stats = (DubCaptureStats){
      .written = self->written,
      .failed = self->failed,
      .bytes = dub_run_folder_get_bytes (self->folder),
  };
}

/* -- what is told of writing --------------------------------------------- */

/* A disk that fails is told of once, and once more when it has taken all for a
 * while: a full one takes what is small. */
static void
note_result (DubCaptureWriter *self, const GError *error)
{
  gint64 now = g_get_monotonic_time ();

  if (!error) {
    self->written++;
    if (self->is_failing && now - self->failed_us > RECOVERED_US) {
      dub_info ("segments are kept again");
      self->is_failing = FALSE;
    }
    return;
  }
  self->failed++;
  self->failed_us = now;
  dub_run_folder_count (self->folder, "writesFailed", 1);
  if (!self->is_failing)
    dub_warning ("segments cannot be kept: %s", error->message);
  self->is_failing = TRUE;
}

static void
log_write (DubCaptureWriter *self, const char *event, const char *fragment_id,
    const DubManifestAsset *asset, const GError *error)
{
  g_autofree char *bytes =
      asset ? g_strdup_printf ("%" G_GUINT64_FORMAT, asset->bytes) : NULL;
  const char *fields[] = {"event", event, "stream_id", self->stream_id,
      "run_id", self->run_id, "instance_id", self->instance_id, "fragment_id",
      fragment_id ? fragment_id : "", "asset_kind",
      asset && asset->kind ? asset->kind : "", "path",
      asset && asset->path ? asset->path : "", "bytes", bytes ? bytes : "",
      "sha256", asset && asset->sha256 ? asset->sha256 : "", "status",
      error ? "error" : "ok", "error", error ? error->message : "", NULL};

  if (dub_log_is_enabled (DUB_LOG_DEBUG))
    dub_log_fields (DUB_LOG_DEBUG, DUB_LOG_TOPIC, fields, "%s", event);
}

/* -- files of fragments -------------------------------------------------- */

static DubRunAsset
asset_of (const DubFragment *fragment, const char *name, GBytes *bytes)
{
  gint64 pts_ns = fragment->pcm->pts_ns;

  return (DubRunAsset){
      .number = fragment->number,
      .start_ms = pts_ns / DUB_NS_PER_MS,
      .end_ms = (pts_ns + dub_pcm_duration_ns (fragment->pcm)) / DUB_NS_PER_MS,
      .name = name,
      .bytes = bytes,
  };
}

/* bytes: (transfer full) */
static void
write_asset (DubCaptureWriter *self, const DubFragment *fragment,
    const char *name, GBytes *bytes)
{
  g_autoptr (GBytes) owned = bytes;
  g_autoptr (GError) error = NULL;
  DubRunAsset asset = asset_of (fragment, name, owned);
  const DubManifestAsset *listed = NULL;

  dub_run_folder_write (self->folder, &asset, &listed, &error);
  note_result (self, error);
  log_write (self, "asset_write", fragment->id, listed, error);
}

static DubManifestLatency
latency_of (const DubFragmentStory *story)
{
  DubManifestLatency latency = DUB_MANIFEST_NO_LATENCY;

  if (story->sent_us > 0 && story->answered_us > 0)
    latency.total_ms = (story->answered_us - story->sent_us) / 1000;
  if (story->answer) {
    latency.stt_ms = story->answer->times.stt_ms;
    latency.translate_ms = story->answer->times.translate_ms;
    latency.tts_ms = story->answer->times.tts_ms;
  }
  return latency;
}

static void
set_status (DubCaptureWriter *self, const DubFragmentStory *story,
    DubManifestStatus status)
{
  DubRunAsset asset = asset_of (story->fragment, NULL, NULL);
  DubManifestLatency latency = latency_of (story);

  dub_run_folder_set_status (self->folder, &asset, status, &latency);
}

static void
write_sound (DubCaptureWriter *self, const DubFragment *fragment,
    const char *name, const DubPcm *pcm)
{
  if (has_media (self->mode) && pcm)
    write_asset (self, fragment, name, dub_wav_new (pcm));
}

static DubFragmentStory *
find_open (DubCaptureWriter *self, const char *id)
{
  for (GList *l = self->open.head; l && id; l = l->next)
    if (g_str_equal (((DubFragmentStory *) l->data)->fragment->id, id))
      return l->data;
  return NULL;
}

void
dub_capture_writer_segment (DubCaptureWriter *self, const DubFragment *fragment)
{
  DubFragmentStory *story = g_new0 (DubFragmentStory, 1);

  story->fragment = dub_fragment_ref ((DubFragment *) fragment);
  story->heard_ns = -1;
  g_queue_push_tail (&self->open, story);
  if (self->open.length > MAX_OPEN)
    story_free (g_queue_pop_head (&self->open));
  write_sound (self, fragment, "in.wav", fragment->pcm);
  if (self->mode == DUB_CAPTURE_DEBUG)
    write_asset (self, fragment, "in.pcm", g_bytes_ref (fragment->pcm->bytes));
  write_asset (self, fragment, "timing.json", dub_asset_timing_json (story));
  set_status (self, story, DUB_MANIFEST_RECEIVED);
  dub_run_folder_count (self->folder, "segments", 1);
}

static void
add_cue (DubCaptureWriter *self, const char *path, gint64 start_ns,
    gint64 duration_ns, const char *text)
{
  g_autofree char *cue =
      dub_captions_cue (start_ns, start_ns + duration_ns, text);
  g_autoptr (GError) error = NULL;

  if (!cue)
    return;
  dub_run_folder_append (self->folder, path, DUB_CAPTIONS_HEAD, cue, &error);
  note_result (self, error);
}

void
dub_capture_writer_answer (
    DubCaptureWriter *self, const DubAnswer *answer, gint64 at_us)
{
  DubFragmentStory *story = find_open (self, answer->fragment_id);
  gboolean has_failed = answer->status == DUB_ANSWER_FAILED;

  if (!story || story->answer)
    return;
  story->answer = dub_answer_ref ((DubAnswer *) answer);
  story->answered_us = at_us;
  write_sound (self, story->fragment, "out.wav", answer->pcm);
  write_asset (self, story->fragment, "stt.json", dub_asset_stt_json (story));
  write_asset (self, story->fragment, "tts.json", dub_asset_tts_json (story));
  write_asset (
      self, story->fragment, "timing.json", dub_asset_timing_json (story));
  set_status (
      self, story, has_failed ? DUB_MANIFEST_FAILED : DUB_MANIFEST_PROCESSED);
  dub_run_folder_count (
      self->folder, has_failed ? "answersFailed" : "answers", 1);
  add_cue (self, self->source_captions, story->fragment->pcm->pts_ns,
      dub_pcm_duration_ns (story->fragment->pcm), answer->transcript);
}

/* -- what became of them ------------------------------------------------- */

static void
note_alert (DubCaptureWriter *self, const DubCaptureNote *note, gint64 at_us)
{
  gint64 now = g_get_monotonic_time ();
  gint64 *last = g_hash_table_lookup (self->alerts, note->detail);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) json = NULL;

  if (last && now - *last < ALERT_US)
    return;
  g_hash_table_insert (
      self->alerts, g_strdup (note->detail), g_memdup2 (&now, sizeof now));
  json = dub_asset_alert_json (note->detail, NULL, note->media_ns, at_us);
  dub_run_folder_alert (self->folder, note->detail, json, &error);
  note_result (self, error);
  log_write (self, "asset_write", NULL, NULL, error);
}

static void
note_started (DubCaptureWriter *self, DubFragmentStory *story, gint64 media_ns)
{
  story->heard_ns = media_ns;
  if (story->answer && story->answer->pcm)
    add_cue (self, self->dub_captions, media_ns,
        dub_pcm_duration_ns (story->answer->pcm),
        story->answer->translated_text);
}

/* Nothing more comes of it. */
static void
close_story (DubCaptureWriter *self, DubFragmentStory *story,
    const char *outcome, const char *detail)
{
  story->outcome = outcome;
  story->detail = g_strdup (detail);
  write_asset (
      self, story->fragment, "timing.json", dub_asset_timing_json (story));
  if (!story->answer)
    set_status (self, story, DUB_MANIFEST_FAILED);
  dub_run_folder_count (self->folder, outcome, 1);
}

void
dub_capture_writer_note (
    DubCaptureWriter *self, const DubCaptureNote *note, gint64 at_us)
{
  DubFragmentStory *story = find_open (self, note->fragment_id);

  if (note->type == DUB_CAPTURE_NOTE_ALERT)
    note_alert (self, note, at_us);
  if (!story)
    return;
  switch (note->type) {
    case DUB_CAPTURE_NOTE_SENT:
      story->sent_us = at_us;
      set_status (self, story, DUB_MANIFEST_PROCESSING);
      break;
    case DUB_CAPTURE_NOTE_STARTED:
      note_started (self, story, note->media_ns);
      break;
    case DUB_CAPTURE_NOTE_HEARD:
      close_story (self, story, "heard", NULL);
      break;
    case DUB_CAPTURE_NOTE_DROPPED:
      close_story (self, story, "dropped", note->detail);
      break;
    case DUB_CAPTURE_NOTE_FALLBACK:
      close_story (self, story, "fallback", note->detail);
      break;
    default:
      break;
  }
}

void
dub_capture_writer_log (DubCaptureWriter *self, const char *lines)
{
  g_autoptr (GError) error = NULL;

  dub_run_folder_append (self->folder, LOG_PATH, NULL, lines, &error);
  if (error)
    note_result (self, error);
}

void
dub_capture_writer_lost (DubCaptureWriter *self, guint64 n)
{
  if (n > 0)
    dub_run_folder_count (self->folder, "lost", (gint64) n);
}

/* -- the manifest -------------------------------------------------------- */

static gboolean
is_due (gint64 *last_us, gint64 now_us, gint64 period_us)
{
  if (*last_us != 0 && now_us - *last_us < period_us)
    return FALSE;
  *last_us = now_us;
  return TRUE;
}

static void
tidy (DubCaptureWriter *self)
{
  g_autoptr (GError) error = NULL;

  if (!dub_run_folder_tidy (self->folder, &error))
    dub_warning ("%s", error->message);
}

void
dub_capture_writer_settle (DubCaptureWriter *self, gboolean is_last)
{
  gint64 now = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;
  gboolean is_old;

  if (is_due (&self->tidied_us, now, TIDY_US))
    tidy (self);
  is_old = is_due (&self->history_us, now, HISTORY_US);
  if (!is_last && !is_old &&
      (!dub_run_folder_is_dirty (self->folder) ||
          !is_due (&self->flushed_us, now, FLUSH_US)))
    return;
  self->flushed_us = now;
  dub_run_folder_flush (self->folder, is_old || is_last, &error);
  if (error)
    note_result (self, error);
  log_write (self, "manifest_write", NULL, NULL, error);
}
