/* SPDX-License-Identifier: Apache-2.0 */
#include "programme_thread.h"

#include "../ingest/ingest.h"

#define MAX_COMMANDS 4096
#define MAX_NOTICES 4096
/* Once media flows, what comes in waits for the next round, at most so long:
 * a wake-up for each packet would cost more than the work on it, and nothing
 * that comes in is due before OUTPUT_DELAY_MS. */
#define ROUND_NS (20 * DUB_NS_PER_MS)
#define STATS_INTERVAL_NS (100 * DUB_NS_PER_MS)
/* What is due after a while without CPU leaves at five times the pace: at once
 * it would be more than encoder and output hold. */
#define STEP_NS (200 * DUB_NS_PER_MS)
#define STEP_PAUSE_NS (STEP_NS / 5)
#define MAX_BEHIND_NS (30 * DUB_NS_PER_S)
/* More sound than this is not yet coded: its encoder gets no CPU, and what
 * follows waits, pictures and all. */
#define MAX_UNCODED_NS STEP_NS

typedef enum {
  COMMAND_MARK = 1,
  COMMAND_ANSWER,
  COMMAND_STS,
  COMMAND_MIX,
  COMMAND_FALLBACK,
} CommandKind;

/* What others tell the programme. */
typedef struct {
  CommandKind kind;
  DubAnswer *answer;
  gint64 first_frame, frames, send_delay_ns;
  double level;
  guint max_inflight;
  int value; /* is_speech, or an enum */
} Command;

/* What the programme tells the owner. */
typedef struct {
  DubFragment *send; /* the fragment to send, or else an event */
  DubProgrammeEvent event;
  char *fragment_id;
  DubFragment *fragment;
  DubAnswer *answer;
} Notice;

struct _DubProgrammeThread {
  /* immutable */
  DubProgrammeThreadHandlers handlers;
  gpointer user_data;
  GMainContext *context; /* the owner's */
  DubQueue *ingest;
  DubQueue *commands;
  DubQueue *notices;
  GThread *thread;

  /* the programme thread only */
  DubProgramme *programme;
  gint64 offset_ns;
  gint64 next_stats_ns;
  gint64 last_run_ns;
  gboolean is_file;
  DubIngestItem *held; /* of a file: it comes when there is room */

  /* protected by lock */
  GMutex lock;
  GCond cond;
  gboolean is_awake;
  gboolean is_flowing; /* media has come: rounds, not wake-ups */
  gboolean is_stopping;
  DubProgrammeStats stats;
  gint64 delay_ns;
};

static gint64
now_ns (void)
{
  return g_get_monotonic_time () * 1000;
}

static void
command_free (gpointer data)
{
  Command *command = data;

  g_clear_pointer (&command->answer, dub_answer_unref);
  g_free (command);
}

static void
notice_free (gpointer data)
{
  Notice *notice = data;

  g_clear_pointer (&notice->send, dub_fragment_unref);
  g_clear_pointer (&notice->fragment, dub_fragment_unref);
  g_clear_pointer (&notice->answer, dub_answer_unref);
  g_free (notice->fragment_id);
  g_free (notice);
}

/* -- towards the owner --------------------------------------------------- */

static gboolean
do_deliver (gpointer user_data)
{
  DubProgrammeThread *self = user_data;
  Notice *notice;

  while ((notice = dub_queue_pop (self->notices))) {
    if (notice->send)
      self->handlers.on_fragment (
          g_steal_pointer (&notice->send), self->user_data);
    else
      self->handlers.on_event (&notice->event, self->user_data);
    notice_free (notice);
  }
  return G_SOURCE_REMOVE;
}

/* The first notice of a row wakes the owner. */
static gboolean
on_notice_ready (gpointer user_data)
{
  DubProgrammeThread *self = user_data;
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, do_deliver, self, NULL);
  g_source_attach (source, self->context);
  return G_SOURCE_REMOVE;
}

static void
sink_fragment (DubFragment *fragment, gpointer user_data)
{
  DubProgrammeThread *self = user_data;
  Notice *notice = g_new0 (Notice, 1);

  notice->send = fragment;
  dub_queue_push (self->notices, notice, 1);
}

static void
sink_event (const DubProgrammeEvent *event, gpointer user_data)
{
  DubProgrammeThread *self = user_data;
  Notice *notice = g_new0 (Notice, 1);

  notice->event = *event;
  notice->fragment_id = g_strdup (event->fragment_id);
  notice->event.fragment_id = notice->fragment_id;
  if (event->fragment)
    notice->fragment = dub_fragment_ref ((DubFragment *) event->fragment);
  if (event->answer)
    notice->answer = dub_answer_ref ((DubAnswer *) event->answer);
  dub_queue_push (self->notices, notice, 1);
}

/* -- towards publish and the detector ------------------------------------ */

static void
sink_video (DubAccessUnit *unit, gpointer user_data)
{
  DubProgrammeThread *self = user_data;
  gint64 dts_ns = unit->dts_ns == DUB_TIME_NONE ? unit->pts_ns : unit->dts_ns;

  g_mutex_lock (&self->lock);
  if (self->offset_ns != DUB_TIME_NONE)
    self->delay_ns = now_ns () - self->offset_ns - dts_ns;
  g_mutex_unlock (&self->lock);
  self->handlers.on_video (unit, self->user_data);
}

static void
sink_sound (DubPcm *pcm, gpointer user_data)
{
  DubProgrammeThread *self = user_data;

  self->handlers.on_sound (pcm, self->user_data);
}

static void
sink_heard (DubPcm *pcm, gint64 first_frame, gpointer user_data)
{
  DubProgrammeThread *self = user_data;

  self->handlers.on_heard (pcm, first_frame, self->user_data);
}

/* -- the thread ---------------------------------------------------------- */

static void
take_item (DubProgrammeThread *self, DubIngestItem *item)
{
  switch (item->kind) {
    case DUB_INGEST_ITEM_CONNECTED:
      dub_programme_source_reset (self->programme, item->arrival_ns);
      break;
    case DUB_INGEST_ITEM_VIDEO:
      self->handlers.on_video_in (item->unit, self->user_data);
      dub_programme_push_video (
          self->programme, g_steal_pointer (&item->unit), item->arrival_ns);
      break;
    case DUB_INGEST_ITEM_SOUND:
      dub_programme_push_sound (
          self->programme, g_steal_pointer (&item->pcm), item->arrival_ns);
      break;
    case DUB_INGEST_ITEM_LOST:
      dub_programme_source_lost (self->programme, item->arrival_ns);
      break;
    case DUB_INGEST_ITEM_END:
      dub_programme_source_ended (self->programme, item->arrival_ns);
      break;
    case DUB_INGEST_ITEM_NO_SOUND: /* where there is none, silence leaves */
    case DUB_INGEST_ITEM_NONE:
      break;
  }
}

static void
take_command (DubProgrammeThread *self, Command *command, gint64 now)
{
  switch (command->kind) {
    case COMMAND_MARK:
      dub_programme_push_mark (self->programme, command->first_frame,
          command->frames, command->value, command->level, now);
      break;
    case COMMAND_ANSWER:
      dub_programme_push_answer (
          self->programme, g_steal_pointer (&command->answer), now);
      break;
    case COMMAND_STS:
      dub_programme_set_sts (self->programme, (DubStsState) command->value,
          command->max_inflight, command->send_delay_ns, now);
      break;
    case COMMAND_MIX:
      dub_programme_set_mix (
          self->programme, (DubMixMode) command->value, command->level);
      break;
    case COMMAND_FALLBACK:
      dub_programme_set_fallback (
          self->programme, (DubFallbackMode) command->value);
      break;
  }
}

/* A file waits for us, and ends when all of it has been judged. */
static gboolean
may_take (DubProgrammeThread *self, const DubIngestItem *item)
{
  if (!self->is_file)
    return TRUE;
  if (item->kind == DUB_INGEST_ITEM_LOST || item->kind == DUB_INGEST_ITEM_END)
    return dub_programme_is_judged (self->programme);
  return dub_programme_has_room (self->programme);
}

/* (transfer full) (nullable) */
static DubIngestItem *
next_item (DubProgrammeThread *self)
{
  DubIngestItem *item = self->held;

  if (!item)
    item = dub_queue_pop (self->ingest);
  self->held = NULL;
  if (!item || may_take (self, item))
    return item;
  self->held = item;
  return NULL;
}

static void
take_all (DubProgrammeThread *self)
{
  DubIngestItem *item;
  Command *command;
  gboolean has_media = FALSE;

  while ((item = next_item (self))) {
    has_media |= item->unit || item->pcm;
    take_item (self, item);
    dub_ingest_item_free (item);
  }
  while ((command = dub_queue_pop (self->commands))) {
    take_command (self, command, now_ns ());
    command_free (command);
  }
  if (has_media && !self->is_flowing) {
    g_mutex_lock (&self->lock);
    self->is_flowing = TRUE;
    g_mutex_unlock (&self->lock);
  }
}

static void
publish_stats (DubProgrammeThread *self, gint64 now)
{
  DubProgrammeStats stats;

  if (now < self->next_stats_ns)
    return;
  self->next_stats_ns = now + STATS_INTERVAL_NS;
  dub_programme_get_stats (self->programme, &stats);
  self->offset_ns =
      stats.media_ns == DUB_TIME_NONE ? DUB_TIME_NONE : stats.clock_offset_ns;
  g_mutex_lock (&self->lock);
  self->stats = stats;
  g_mutex_unlock (&self->lock);
}

/* FALSE: the end. */
static gboolean
sleep_until (DubProgrammeThread *self, gint64 wake_ns)
{
  gboolean goes_on;

  g_mutex_lock (&self->lock);
  while (!self->is_awake && !self->is_stopping) {
    if (wake_ns == G_MAXINT64)
      g_cond_wait (&self->cond, &self->lock);
    else if (!g_cond_wait_until (
                 &self->cond, &self->lock, (wake_ns + 999) / 1000))
      break;
  }
  self->is_awake = FALSE;
  goes_on = !self->is_stopping;
  g_mutex_unlock (&self->lock);
  return goes_on;
}

static gint64
behind_ns (const DubProgrammeThread *self)
{
  if (!self->is_flowing || self->is_file)
    return 0;
  return now_ns () - self->last_run_ns;
}

/* Nothing is lost for want of CPU, until it is too long. */
static gboolean
is_output_ready (DubProgrammeThread *self)
{
  return self->is_file || behind_ns (self) >= MAX_BEHIND_NS ||
         self->handlers.get_uncoded_ns (self->user_data) <= MAX_UNCODED_NS;
}

/* The process was stopped, or others had the CPU. What comes meanwhile is
 * taken in. FALSE: the end. */
static gboolean
catch_up (DubProgrammeThread *self)
{
  gboolean goes_on = TRUE;

  while (goes_on && behind_ns (self) > 2 * STEP_NS &&
         behind_ns (self) < MAX_BEHIND_NS) {
    take_all (self);
    if (is_output_ready (self)) {
      self->last_run_ns += STEP_NS;
      dub_programme_run (self->programme, self->last_run_ns);
    }
    goes_on = sleep_until (self, now_ns () + STEP_PAUSE_NS);
  }
  return goes_on;
}

/* When to run again. */
static gint64
run_now (DubProgrammeThread *self)
{
  gint64 now = now_ns (), next_ns = now + ROUND_NS;

  if (is_output_ready (self)) {
    next_ns = dub_programme_run (self->programme, now);
    self->last_run_ns = now;
    if (self->is_flowing)
      next_ns = MIN (next_ns, now + ROUND_NS);
  }
  publish_stats (self, now);
  return next_ns;
}

static gpointer
run (gpointer data)
{
  DubProgrammeThread *self = data;
  gint64 next_ns;

  do {
    if (!catch_up (self))
      break;
    take_all (self);
    next_ns = run_now (self);
  } while (sleep_until (self, next_ns));
  return NULL;
}

static gboolean
on_input_ready (gpointer user_data)
{
  DubProgrammeThread *self = user_data;

  g_mutex_lock (&self->lock);
  if (!self->is_flowing) {
    self->is_awake = TRUE;
    g_cond_signal (&self->cond);
  }
  g_mutex_unlock (&self->lock);
  return G_SOURCE_REMOVE;
}

/* -- the owner's side ---------------------------------------------------- */

static void
push_command (DubProgrammeThread *self, Command command)
{
  dub_queue_push (self->commands, g_memdup2 (&command, sizeof command), 1);
}

void
dub_programme_thread_push_answer (DubProgrammeThread *self, DubAnswer *answer)
{
  push_command (self, (Command){.kind = COMMAND_ANSWER, .answer = answer});
}

void
dub_programme_thread_push_mark (DubProgrammeThread *self, gint64 first_frame,
    gint64 frames, gboolean is_speech, double level_db)
{
  push_command (self, (Command){.kind = COMMAND_MARK,
                          .first_frame = first_frame,
                          .frames = frames,
                          .value = is_speech,
                          .level = level_db});
}

void
dub_programme_thread_set_sts (DubProgrammeThread *self, DubStsState state,
    guint max_inflight, gint64 send_delay_ns)
{
  push_command (self, (Command){.kind = COMMAND_STS,
                          .value = (int) state,
                          .max_inflight = max_inflight,
                          .send_delay_ns = send_delay_ns});
}

void
dub_programme_thread_set_mix (
    DubProgrammeThread *self, DubMixMode mode, double duck_db)
{
  push_command (self,
      (Command){.kind = COMMAND_MIX, .value = (int) mode, .level = duck_db});
}

void
dub_programme_thread_set_fallback (
    DubProgrammeThread *self, DubFallbackMode mode)
{
  push_command (self, (Command){.kind = COMMAND_FALLBACK, .value = (int) mode});
}

void
dub_programme_thread_get_stats (DubProgrammeThread *self,
    DubProgrammeStats *ret_stats, gint64 *ret_delay_ns)
{
  g_mutex_lock (&self->lock);
  *ret_stats = self->stats;
  *ret_delay_ns = self->delay_ns;
  g_mutex_unlock (&self->lock);
}

DubProgrammeThread *
dub_programme_thread_new (const DubProgrammeParams *params, DubQueue *ingest,
    const DubProgrammeThreadHandlers *handlers, gpointer user_data)
{
  static const DubProgrammeSinks sinks = {
      .video = sink_video,
      .sound = sink_sound,
      .heard = sink_heard,
      .fragment = sink_fragment,
      .event = sink_event,
  };
  DubProgrammeThread *self = g_new0 (DubProgrammeThread, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->handlers = *handlers;
  self->user_data = user_data;
  self->context = g_main_context_ref_thread_default ();
  self->ingest = dub_queue_ref (ingest);
  self->commands = dub_queue_new (
      "programme", MAX_COMMANDS, MAX_COMMANDS, DUB_QUEUE_REFUSE, command_free);
  self->notices = dub_queue_new (
      "notices", MAX_NOTICES, MAX_NOTICES, DUB_QUEUE_REFUSE, notice_free);
  dub_queue_set_ready_func (self->ingest, on_input_ready, self, NULL);
  dub_queue_set_ready_func (self->commands, on_input_ready, self, NULL);
  dub_queue_set_ready_func (self->notices, on_notice_ready, self, NULL);
  self->programme = dub_programme_new (params, &sinks, self);
  self->is_file = params->is_file;
  self->offset_ns = DUB_TIME_NONE;
  self->stats.media_ns = DUB_TIME_NONE;
  return self;
}

void
dub_programme_thread_start (DubProgrammeThread *self)
{
  self->thread = g_thread_new ("programme", run, self);
}

static void
drop_deliveries (DubProgrammeThread *self)
{
  GSource *source;

  while (
      (source = g_main_context_find_source_by_user_data (self->context, self)))
    g_source_destroy (source);
}

void
dub_programme_thread_stop (DubProgrammeThread *self)
{
  g_mutex_lock (&self->lock);
  self->is_stopping = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&self->thread, g_thread_join);
}

void
dub_programme_thread_free (DubProgrammeThread *self)
{
  if (!self)
    return;
  dub_programme_thread_stop (self);
  dub_queue_close (self->ingest);
  dub_queue_close (self->commands);
  drop_deliveries (self);
  dub_programme_free (self->programme);
  g_clear_pointer (&self->held, dub_ingest_item_free);
  dub_queue_unref (self->ingest);
  dub_queue_unref (self->commands);
  dub_queue_unref (self->notices);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self);
}
