/* SPDX-License-Identifier: Apache-2.0 */
#include "programme/programme.h"

#include <malloc.h>
#include <string.h>

/*
 * Nothing lost: simulated hours of a bad source and a bad STS service, and what
 * must hold whatever they do.
 *
 *   content     what the source captures: pictures each 40 ms, sound blocks of
 *               20 ms; every sound frame and every picture carries its number
 *   source      drifts to 1000 ppm, has jitter, stalls and bursts, pauses,
 *               jumps, mutes, is lost and comes back; its times are whole ms of
 *               32 bits
 *   service     answers in any order, late, twice, failed or never; is lost,
 *               comes back, pauses
 *
 * Checked on every frame that leaves:
 *   - the sound follows itself without gap or overlap, each content frame at
 *     most once and in order; every block that came in time is heard whole
 *   - no silence between blocks that followed one another
 *   - the delay from capture to departure
 *   - each dub that started is heard whole, alone and once; each that came in
 *     time is heard, unless the one before it leaves no room
 *   - every picture that came in time, and refers to none that did not, is
 *     shown once; dts rises and is <= pts; a picture after a missing one is a
 * key frame; the sound under a picture is within 10 ms of its own
 *   - the buffers and the heap are bounded
 *
 * The sound has 8 kHz here, so that ten hours take seconds; duck is 0 dB, so
 * that values stay readable: left is the original, right the dub.
 * DUB_PROPERTY_HOURS and DUB_PROPERTY_SEEDS make it longer.
 */

#define RATE 8000
#define MS DUB_NS_PER_MS
#define S DUB_NS_PER_S
#define BLOCK 160 /* frames of content in 20 ms */
#define BLOCK_NS (20 * MS)
#define PICTURE_NS (40 * MS)
#define CTS_NS (80 * MS)
#define GOP 50
#define CYCLE 31978 /* content frames until a value comes again: about 4 s */
#define RING 65536  /* frames of output kept for the sync check */
#define JITTER_MS 30
#define TOLERANCE_NS (110 * MS)
#define EDGE_NS (250 * MS) /* around an epoch nothing is asked of sync */
#define START_NS (500 * S)
#define WRAP_MS (G_GINT64_CONSTANT (1) << 32)

#ifdef __SANITIZE_ADDRESS__
#define DEFAULT_HOURS 1
#else
#define DEFAULT_HOURS 3
#endif

enum { MUST_HEAR = 1, AT_BREAK = 2 };

typedef struct {
  gint64 captured_ns;
  gint64 lag_ns; /* of the source when it came */
  guint8 heard;  /* frames of it that left */
  guint8 flags;
} Block;

typedef enum { OPEN, IN_TIME, ENDED } Fate;

typedef struct {
  char *id;
  guint64 number;
  gint64 slot_first, slot_frames;
  gint64 deadline_ns, sent_ns;
  gint64 dub_frames;
  gint64 start; /* where it sounds, -1 */
  Fate fate;
  gboolean has_started, has_ended;
} Slot;

typedef struct {
  gint64 at_ns;
  guint slot;
  gboolean is_failure;
} Reply;

typedef struct {
  gint64 at_ns, first, frames;
  gboolean is_speech;
} Mark;

typedef struct {
  guint64 number;
  gint64 pts_ns;
} Shown;

typedef struct {
  GRand *rand;
  DubProgrammeParams params;
  DubProgramme *programme;
  gint64 now_ns, end_ns, run_ns;

  /* the source */
  gint64 content_ns; /* of the next packet */
  gint64 picture;
  gint64 block;
  gint64 anchor_content_ns, anchor_wall_ns;
  gint64 ppm;
  gint64 base_ms[2];      /* source time of content 0: video, sound */
  gint64 sound_switch_ns; /* content at which the sound takes video's base */
  gint64 held_until_ns;
  gint64 mute_until_ns; /* content */
  gint64 last_arrival_ns;
  gint64 next_arrival_ns;
  gint64 next_trouble_ns;
  gint64 down_until_ns; /* no connection; 0: there is one */
  gboolean is_key_needed;
  gint64 bad_ns; /* content up to which pictures may be missing a reference */
  GByteArray *pictures;        /* by number: MUST_HEAR, then 0 once shown */
  gint64 lag_ns, lag_since_ns; /* the source fell behind by that much */
  GArray *blocks;              /* Block by number */
  guint troubles[7];

  /* speech and service */
  GQueue marks; /* Mark */
  gint64 speech_until;
  gboolean is_speech;
  GArray *slots;   /* Slot */
  GArray *replies; /* Reply */
  gboolean is_linked;
  gint64 next_link_ns;
  guint inflight;

  /* what left */
  gint64 sound_end;    /* media frames */
  gint64 last_content; /* frame last heard */
  gint64 silent_since_heard;
  gint16 *ring;    /* left, by media frame % RING */
  GArray *playing; /* slot numbers that sound or will */
  gint64 last_dub_end;
  GQueue shown;
  gint64 last_epoch_ns, before_epoch_ns; /* media */
  gint64 last_dts_ns;
  guint64 last_picture;
  gboolean is_video_running;
  guint n_synced, n_heard_blocks;
  gint64 worst_early_ns, worst_late_ns;
  guint64 n_dubs_heard, n_dubs_lagged;
} World;

static gint64
between (World *w, gint64 low, gint64 high)
{
  return low + (gint64) (g_rand_double (w->rand) * (double) (high - low));
}

static gboolean
chance (World *w, double p)
{
  return g_rand_double (w->rand) < p;
}

#define CHECK(cond, ...)                                                       \
  G_STMT_START                                                                 \
  {                                                                            \
    if (!(cond)) {                                                             \
      g_autofree char *text_ = g_strdup_printf (__VA_ARGS__);                  \
      g_error ("at %.3f s: %s: %s", (double) (w->now_ns - START_NS) / 1e9,     \
          #cond, text_);                                                       \
    }                                                                          \
  }                                                                            \
  G_STMT_END

static gint16
content_value (gint64 frame)
{
  gint64 v = frame % CYCLE;

  return (gint16) (v < CYCLE / 2 ? v + 1 : -(v - CYCLE / 2 + 1));
}

static gint64
content_residue (gint16 value)
{
  return value > 0 ? value - 1 : -(gint64) value - 1 + CYCLE / 2;
}

static gint16
dub_value (guint64 number, gint64 k)
{
  return (gint16) (1 + (number * 977 + (guint64) k) % 12000);
}

static Block *
block_at (World *w, gint64 number)
{
  CHECK (number >= 0 && number < w->blocks->len, "block %" G_GINT64_FORMAT,
      number);
  return &g_array_index (w->blocks, Block, number);
}

static Slot *
slot_at (World *w, guint number)
{
  return &g_array_index (w->slots, Slot, number);
}

static Slot *
find_slot (World *w, const char *id)
{
  for (guint i = w->slots->len; i > 0; i--)
    if (strcmp (slot_at (w, i - 1)->id, id) == 0)
      return slot_at (w, i - 1);
  g_assert_not_reached ();
}

/* ---- the source ---- */

static gint64
captured_ns (const World *w, gint64 content_ns)
{
  gint64 ns = content_ns - w->anchor_content_ns;

  return w->anchor_wall_ns + ns + ns / 1000000 * w->ppm;
}

static void
anchor (World *w, gint64 wall_ns)
{
  w->anchor_content_ns = w->content_ns;
  w->anchor_wall_ns = wall_ns;
}

/* How far the source may still be behind. */
static gint64
lag_now (const World *w)
{
  return w->lag_ns;
}

/* The clock makes it good at 1 ms a second, less what the drift takes of that,
 * once the window has forgotten the better days. */
static void
make_good (World *w, gint64 passed_ns)
{
  if (w->now_ns > w->lag_since_ns + 35 * S)
    w->lag_ns = MAX (
        0, w->lag_ns - passed_ns * (1000 - CLAMP (w->ppm, 0, 1000)) / 1000000);
}

static void
mark_break (World *w)
{
  Block *block;

  if (w->blocks->len == 0)
    return;
  block = block_at (w, w->blocks->len - 1);
  block->flags |= AT_BREAK;
}

static gint64
source_ns (const World *w, int track, gint64 content_ns)
{
  gint64 ms = w->base_ms[track] + content_ns / MS;

  return ((ms % WRAP_MS + WRAP_MS) % WRAP_MS) * MS;
}

static void
pick_base (World *w)
{
  gint64 content_ms = w->content_ns / MS;

  if (chance (w, 0.5)) /* about to wrap */
    w->base_ms[0] = WRAP_MS - content_ms - between (w, 0, 200000);
  else
    w->base_ms[0] = between (w, 0, WRAP_MS) - content_ms;
}

static void
schedule_arrival (World *w)
{
  gint64 at_ns =
      captured_ns (w, w->content_ns) + between (w, 0, JITTER_MS) * MS;

  at_ns = MAX (at_ns, w->held_until_ns);
  w->next_arrival_ns = MAX (at_ns, w->last_arrival_ns);
}

static void
send_picture (World *w)
{
  gint64 content_ns = w->picture * PICTURE_NS;
  guint64 number = w->picture++;
  gboolean is_key = number % GOP == 0;
  gint64 spare_ns = w->params.output_delay_ns - lag_now (w) -
                    (w->now_ns - captured_ns (w, content_ns));
  guint8 must = 0;

  if (spare_ns < 300 * MS)
    w->bad_ns = content_ns;
  if (content_ns - w->bad_ns > GOP * PICTURE_NS)
    must = MUST_HEAR;
  g_byte_array_append (w->pictures, &must, 1);
  dub_programme_push_video (w->programme,
      dub_access_unit_new (DUB_VIDEO_CODEC_H264, g_bytes_new (&number, 8), NULL,
          source_ns (w, 0, content_ns + CTS_NS), source_ns (w, 0, content_ns),
          is_key),
      w->now_ns);
  if (is_key)
    w->is_key_needed = FALSE;
}

/* Whether it must be heard: it has come early enough, and not beside a break
 * (where old and new may overlap). */
static guint8
judge_block (const World *w, gint64 captured, gint64 break_ns)
{
  gint64 spare_ns = w->params.output_delay_ns - w->params.lead_ns -
                    lag_now (w) - (w->now_ns - captured);

  return spare_ns > 300 * MS && break_ns > 500 * MS ? MUST_HEAR : 0;
}

static void
send_block (World *w)
{
  gint64 content_ns = w->block * BLOCK_NS;
  Block block = {.captured_ns = captured_ns (w, content_ns)};
  gint64 break_ns = content_ns - w->anchor_content_ns;
  gint16 *samples;

  if (content_ns >= w->sound_switch_ns) {
    w->base_ms[1] = w->base_ms[0];
    w->sound_switch_ns = G_MAXINT64;
    mark_break (w);
  }
  break_ns = MIN (break_ns, ABS (content_ns - w->mute_until_ns));
  block.flags = judge_block (w, block.captured_ns, break_ns);
  if (content_ns < w->mute_until_ns) {
    block.flags = AT_BREAK;
    g_array_append_val (w->blocks, block);
    w->block++;
    return;
  }
  samples = g_new0 (gint16, BLOCK * 2);
  for (int i = 0; i < BLOCK; i++)
    samples[2 * i] = content_value (w->block * BLOCK + i);
  g_array_append_val (w->blocks, block);
  w->block++;
  dub_programme_push_sound (w->programme,
      dub_pcm_new (g_bytes_new_take (samples, BLOCK * 4), RATE, 2,
          source_ns (w, 1, content_ns)),
      w->now_ns);
  block_at (w, w->blocks->len - 1)->lag_ns = lag_now (w);
}

static void
step_source (World *w)
{
  gint64 picture_ns = w->picture * PICTURE_NS;
  gint64 block_ns = w->block * BLOCK_NS;

  w->last_arrival_ns = w->now_ns;
  if (picture_ns <= block_ns)
    send_picture (w);
  else
    send_block (w);
  w->content_ns = MIN (w->picture * PICTURE_NS, w->block * BLOCK_NS);
  schedule_arrival (w);
}

static void
fall_behind (World *w, gint64 ns)
{
  w->lag_ns = lag_now (w) + ns;
  w->lag_since_ns = w->now_ns + ns;
}

static void
trouble (World *w)
{
  gint64 ns = between (w, 50, chance (w, 0.3) ? 14000 : 3000) * MS;
  int kind = (int) between (w, 0, 7);

  w->next_trouble_ns = w->now_ns + between (w, 40, 400) * S;
  if (w->down_until_ns != 0)
    return;
  w->troubles[kind]++;
  if (kind == 2 || kind == 3) /* it may hold, and repeat a key frame */
    w->bad_ns = w->content_ns + BLOCK_NS;
  if (g_test_verbose ())
    g_test_message ("%.3f s: trouble %d, %.3f s, %d ppm, lag %.1f ms",
        (double) (w->now_ns - START_NS) / 1e9, kind, (double) ns / 1e9,
        (int) w->ppm, (double) lag_now (w) / 1e6);
  switch (kind) {
    case 0: /* drift */
      anchor (w, captured_ns (w, w->content_ns));
      w->ppm = between (w, -1000, 1001);
      break;
    case 1: /* the network holds it back, then all comes at once */
      w->held_until_ns = w->now_ns + ns;
      break;
    case 2: /* it pauses, and goes on with its times where it was */
      anchor (w, captured_ns (w, w->content_ns) + ns);
      fall_behind (w, ns);
      mark_break (w);
      break;
    case 3: /* it pauses, and its times have gone on */
      anchor (w, captured_ns (w, w->content_ns) + ns);
      w->base_ms[0] += ns / MS;
      w->base_ms[1] += ns / MS;
      mark_break (w);
      break;
    case 4: { /* its times jump, those of the sound a little later */
      gint64 jump_ms = between (w, 1100, 40000000);

      if (chance (w, 0.5))
        jump_ms = -between (w, 160, 20000);
      if (g_test_verbose ())
        g_test_message ("jump %d ms", (int) jump_ms);
      anchor (w, captured_ns (w, w->content_ns));
      w->base_ms[0] += jump_ms;
      w->sound_switch_ns = w->content_ns + between (w, 0, 5) * BLOCK_NS;
      mark_break (w);
      break;
    }
    case 5: /* no sound for a while */
      w->mute_until_ns = w->content_ns + ns;
      mark_break (w);
      break;
    default: /* the connection breaks */
      dub_programme_source_lost (w->programme, w->now_ns);
      w->down_until_ns = w->now_ns + ns;
      w->next_arrival_ns = G_MAXINT64;
      mark_break (w);
      break;
  }
  if (w->down_until_ns == 0)
    schedule_arrival (w);
}

static void
come_back (World *w)
{
  w->down_until_ns = 0;
  w->held_until_ns = 0;
  w->mute_until_ns = 0;
  w->lag_ns = 0;
  w->bad_ns = w->content_ns + BLOCK_NS;
  w->sound_switch_ns = G_MAXINT64;
  pick_base (w);
  w->base_ms[1] = w->base_ms[0];
  anchor (w, w->now_ns);
  dub_programme_source_reset (w->programme, w->now_ns);
  schedule_arrival (w);
}

/* ---- speech and service ---- */

static void
on_heard (DubPcm *pcm, gint64 first_frame, gpointer user_data)
{
  World *w = user_data;
  Mark *mark = g_new0 (Mark, 1);

  if (first_frame >= w->speech_until) {
    w->is_speech = !w->is_speech;
    w->speech_until = first_frame + (w->is_speech ? between (w, 500, 12000)
                                                  : between (w, 200, 3000)) *
                                        RATE / 1000;
  }
  *mark = (Mark){
      w->now_ns + 100 * MS, first_frame, (gint64) pcm->frames, w->is_speech};
  g_queue_push_tail (&w->marks, mark);
  dub_pcm_unref (pcm);
}

static void
step_mark (World *w)
{
  g_autofree Mark *mark = g_queue_pop_head (&w->marks);

  dub_programme_push_mark (w->programme, mark->first, mark->frames,
      mark->is_speech, -20 - (double) between (w, 0, 40), w->now_ns);
}

static void
reply_at (World *w, guint slot, gint64 at_ns, gboolean is_failure)
{
  Reply reply = {at_ns, slot, is_failure};

  g_array_append_val (w->replies, reply);
}

static void
on_fragment (DubFragment *fragment, gpointer user_data)
{
  World *w = user_data;
  Slot slot = {.id = g_strdup (fragment->id),
      .number = w->slots->len,
      .slot_first = dub_ns_to_frames (fragment->pcm->pts_ns, RATE),
      .slot_frames = (gint64) fragment->pcm->frames,
      .deadline_ns = fragment->deadline_ns,
      .sent_ns = w->now_ns,
      .start = -1};
  gint64 at_ns = w->now_ns + between (w, 200, 3500) * MS;
  guint number = w->slots->len;

  CHECK (w->is_linked, "sent without a link");
  CHECK (slot.slot_frames <=
             dub_ns_to_frames (dub_programme_max_segment_ns (&w->params), RATE),
      "too long");
  slot.dub_frames = MAX (1, slot.slot_frames * between (w, 30, 160) / 100);
  g_array_append_val (w->slots, slot);
  dub_fragment_unref (fragment);
  if (chance (w, 0.05))
    at_ns += between (w, 1, 15) * S;
  if (!chance (w, 0.05))
    reply_at (w, number, at_ns, chance (w, 0.07));
  if (chance (w, 0.05))
    reply_at (w, number, at_ns + between (w, 0, 4000) * MS, FALSE);
}

static guint
next_reply (const World *w)
{
  guint next = 0;

  for (guint i = 1; i < w->replies->len; i++)
    if (g_array_index (w->replies, Reply, i).at_ns <
        g_array_index (w->replies, Reply, next).at_ns)
      next = i;
  return next;
}

static DubPcm *
make_dub (const Slot *slot)
{
  gint16 *samples = g_new0 (gint16, slot->dub_frames * 2);

  for (gint64 k = 0; k < slot->dub_frames; k++)
    samples[2 * k + 1] = dub_value (slot->number, k);
  return dub_pcm_new (
      g_bytes_new_take (samples, slot->dub_frames * 4), RATE, 2, 0);
}

/* An answer to what has not ended yet is in time, if its slot can still be
 * reached; what it must lead to is checked when it ends. */
static void
step_reply (World *w)
{
  guint i = next_reply (w);
  Reply reply = g_array_index (w->replies, Reply, i);
  Slot *slot = slot_at (w, reply.slot);
  DubAnswer *answer = dub_answer_new (
      slot->id, reply.is_failure ? DUB_ANSWER_FAILED : DUB_ANSWER_SUCCESS);

  answer->counts_for_breaker = reply.is_failure;
  g_array_remove_index_fast (w->replies, i);
  if (!reply.is_failure) {
    answer->pcm = make_dub (slot);
    if (slot->fate == OPEN && w->now_ns < slot->deadline_ns &&
        w->now_ns < slot->sent_ns + w->params.fragment_timeout_ns)
      slot->fate = IN_TIME;
  }
  dub_programme_push_answer (w->programme, answer, w->now_ns);
}

static void
step_link (World *w)
{
  w->is_linked = !w->is_linked;
  w->next_link_ns =
      w->now_ns +
      (w->is_linked ? between (w, 60, 1200) : between (w, 2, 30)) * S;
  dub_programme_set_sts (w->programme,
      w->is_linked      ? DUB_STS_READY
      : chance (w, 0.3) ? DUB_STS_PAUSED
                        : DUB_STS_LOST,
      (guint) between (w, 0, 4), chance (w, 0.1) ? 500 * MS : 0, w->now_ns);
}

/* ---- what leaves: sound ---- */

/* The content frame that a value stands for: the next one, or, where some were
 * lost, the one whose time it is. */
static gint64
read_content (World *w, gint16 value, gint64 left_ns)
{
  gint64 next = w->last_content + 1;
  gint64 at_ns, best = -1, best_off = G_MAXINT64;

  if (value == content_value (next) && w->silent_since_heard == 0)
    return next;
  at_ns = left_ns - w->params.output_delay_ns + w->params.lead_ns;
  next += ((content_residue (value) - next) % CYCLE + CYCLE) % CYCLE;
  for (; next / BLOCK < w->blocks->len; next += CYCLE) {
    const Block *block = block_at (w, next / BLOCK);
    gint64 off = ABS (block->captured_ns - block->lag_ns - at_ns);

    if (off < best_off) {
      best = next;
      best_off = off;
    }
  }
  CHECK (best >= 0, "value %d after content %" G_GINT64_FORMAT, value,
      w->last_content);
  return best;
}

/* Nothing lies between two blocks that followed one another. */
static void
check_silence (World *w, gint64 content)
{
  const Block *before;

  if (w->silent_since_heard == 0 || content != w->last_content + 1 ||
      w->last_content < 0)
    return;
  before = block_at (w, w->last_content / BLOCK);
  CHECK (
      before->flags & AT_BREAK ||
          !(before->flags & block_at (w, content / BLOCK)->flags & MUST_HEAR),
      "%" G_GINT64_FORMAT " silent frames before content %" G_GINT64_FORMAT,
      w->silent_since_heard, content);
}

static void
check_delay (World *w, const Block *block, gint64 left_ns)
{
  gint64 delay_ns = left_ns + w->params.lead_ns - block->captured_ns;
  gint64 off_ns = delay_ns - w->params.output_delay_ns;

  if (!(block->flags & MUST_HEAR))
    return;
  CHECK (off_ns < TOLERANCE_NS, "block %d is %.1f ms late, lag %.1f",
      (int) (block - &g_array_index (w->blocks, Block, 0)),
      (double) off_ns / 1e6, (double) block->lag_ns / 1e6);
  CHECK (off_ns > -TOLERANCE_NS - block->lag_ns - 40 * MS,
      "%.1f ms early, lag %.1f", (double) -off_ns / 1e6,
      (double) block->lag_ns / 1e6);
  if (block->lag_ns == 0) {
    w->worst_late_ns = MAX (w->worst_late_ns, off_ns);
    w->worst_early_ns = MIN (w->worst_early_ns, off_ns);
  }
}

static void
hear_original (World *w, gint16 value, gint64 left_ns)
{
  gint64 content;
  Block *block;

  if (value == 0) {
    w->silent_since_heard++;
    return;
  }
  content = read_content (w, value, left_ns);
  if (g_test_verbose () && content != w->last_content + 1)
    g_test_message ("%.3f s: content %.3f s follows %.3f s",
        (double) (w->now_ns - START_NS) / 1e9, (double) content / RATE,
        (double) w->last_content / RATE);
  block = block_at (w, content / BLOCK);
  check_silence (w, content);
  w->silent_since_heard = 0;
  w->last_content = content;
  if (block->heard == 0)
    check_delay (w, block, left_ns);
  if (++block->heard == BLOCK)
    w->n_heard_blocks++;
}

static void
hear_dub (World *w, gint16 value, gint64 frame)
{
  gint16 expected = 0;

  while (w->playing->len > 0) {
    const Slot *slot = slot_at (w, g_array_index (w->playing, guint, 0));

    if (frame >= slot->start + slot->dub_frames) {
      g_array_remove_index (w->playing, 0);
      continue;
    }
    if (frame >= slot->start)
      expected = dub_value (slot->number, frame - slot->start);
    break;
  }
  CHECK (value == expected, "dub frame %d, not %d", value, expected);
}

static void
check_sync (World *w, const Shown *shown)
{
  gint64 at = dub_ns_to_frames (shown->pts_ns, RATE);
  gint16 value = w->ring[at % RING];
  gint64 wanted =
      ((gint64) shown->number * PICTURE_NS + CTS_NS) / MS * RATE / 1000;
  gint64 off;

  if (value == 0 || ABS (shown->pts_ns - w->last_epoch_ns) < EDGE_NS ||
      ABS (shown->pts_ns - w->before_epoch_ns) < EDGE_NS)
    return;
  off = (content_residue (value) - wanted) % CYCLE;
  if (off > CYCLE / 2)
    off -= CYCLE;
  if (off < -CYCLE / 2)
    off += CYCLE;
  CHECK (ABS (off) <= RATE / 100,
      "picture %" G_GUINT64_FORMAT ": sound is %" G_GINT64_FORMAT " frames off",
      shown->number, off);
  w->n_synced++;
}

static void
check_shown (World *w)
{
  Shown *shown;

  while ((shown = g_queue_peek_head (&w->shown)) != NULL &&
         dub_ns_to_frames (shown->pts_ns, RATE) < w->sound_end - RATE) {
    check_sync (w, shown);
    g_free (g_queue_pop_head (&w->shown));
  }
}

static void
on_sound (DubPcm *pcm, gpointer user_data)
{
  World *w = user_data;
  gint64 first = dub_ns_to_frames (pcm->pts_ns, RATE);

  CHECK (first == w->sound_end, "%" G_GINT64_FORMAT " after %" G_GINT64_FORMAT,
      first, w->sound_end);
  for (gsize i = 0; i < pcm->frames; i++) {
    gint64 left_ns = w->now_ns + dub_frames_to_ns ((gint64) i, RATE);

    hear_original (w, pcm->samples[2 * i], left_ns);
    hear_dub (w, pcm->samples[2 * i + 1], first + (gint64) i);
    w->ring[(first + (gint64) i) % RING] = pcm->samples[2 * i];
  }
  w->sound_end = first + (gint64) pcm->frames;
  check_shown (w);
  dub_pcm_unref (pcm);
}

/* ---- what leaves: pictures ---- */

static void
on_video (DubAccessUnit *unit, gpointer user_data)
{
  World *w = user_data;
  Shown *shown = g_new0 (Shown, 1);

  memcpy (&shown->number, g_bytes_get_data (unit->data, NULL), 8);
  shown->pts_ns = unit->pts_ns;
  CHECK (unit->dts_ns > w->last_dts_ns, "dts %" G_GINT64_FORMAT, unit->dts_ns);
  CHECK (unit->dts_ns <= unit->pts_ns, "pts %" G_GINT64_FORMAT, unit->pts_ns);
  CHECK (unit->is_key ||
             (w->is_video_running && shown->number == w->last_picture + 1),
      "picture %" G_GUINT64_FORMAT " after %" G_GUINT64_FORMAT, shown->number,
      w->last_picture);
  w->last_dts_ns = unit->dts_ns;
  if (unit->pts_ns == unit->dts_ns) { /* repeated: ours have 80 ms between */
    g_free (shown);
    w->is_video_running = FALSE;
  } else {
    CHECK (!w->is_video_running || shown->number > w->last_picture, "again");
    w->is_video_running = TRUE;
    w->last_picture = shown->number;
    w->pictures->data[shown->number] = 0;
    g_queue_push_tail (&w->shown, shown);
  }
  dub_access_unit_unref (unit);
}

/* ---- what is told ---- */

static void
on_dub_started (World *w, const DubProgrammeEvent *event)
{
  Slot *slot = find_slot (w, event->fragment_id);
  guint number = (guint) slot->number;

  CHECK (slot->fate == IN_TIME && !slot->has_started, "slot %u", number);
  slot->has_started = TRUE;
  slot->start = dub_ns_to_frames (event->media_ns, RATE);
  CHECK (slot->start >= w->sound_end, "in the past");
  CHECK (slot->start >= w->last_dub_end, "over another one");
  CHECK (slot->start >= slot->slot_first &&
             slot->start - slot->slot_first <=
                 dub_ns_to_frames (w->params.max_dub_lag_ns, RATE) + 1,
      "lag");
  w->last_dub_end = slot->start + slot->dub_frames;
  g_array_append_val (w->playing, number);
}

static void
on_dub_ended (World *w, const DubProgrammeEvent *event)
{
  Slot *slot = find_slot (w, event->fragment_id);
  gint64 lag = dub_ns_to_frames (w->params.max_dub_lag_ns, RATE);

  CHECK (!slot->has_ended, "twice");
  slot->has_ended = TRUE;
  slot->fate = ENDED;
  if (event->type == DUB_EVENT_DUB_HEARD) {
    CHECK (slot->has_started, "not started");
    w->n_dubs_heard++;
    return;
  }
  CHECK (strcmp (event->detail, "lag") == 0, "%s", event->detail);
  CHECK (w->last_dub_end - slot->slot_first > lag - RATE / 50 ||
             w->sound_end - slot->slot_first > lag - RATE / 50,
      "dropped, though there was room");
  w->n_dubs_lagged++;
}

static void
on_fallback (World *w, const DubProgrammeEvent *event)
{
  Slot *slot;

  if (strcmp (event->detail, "overload") == 0 ||
      strcmp (event->detail, "not_ready") == 0 ||
      strcmp (event->detail, "breaker_open") == 0)
    return; /* was never sent */
  if (strcmp (event->detail, "disconnected") == 0) {
    gboolean is_known = FALSE;

    CHECK (!w->is_linked, "disconnected while linked");
    for (guint i = 0; i < w->slots->len && !is_known; i++)
      is_known = strcmp (slot_at (w, i)->id, event->fragment_id) == 0;
    if (!is_known)
      return;
  }
  slot = find_slot (w, event->fragment_id);
  CHECK (slot->fate != ENDED, "ended twice: %s", event->detail);
  if (strcmp (event->detail, "timeout") == 0)
    CHECK (slot->fate == OPEN &&
               (w->now_ns >= slot->deadline_ns ||
                   w->now_ns >= slot->sent_ns + w->params.fragment_timeout_ns),
        "given up too early");
  slot->fate = ENDED;
  slot->has_ended = TRUE;
}

static void
on_event (const DubProgrammeEvent *event, gpointer user_data)
{
  World *w = user_data;

  switch (event->type) {
    case DUB_EVENT_DUB_STARTED:
      on_dub_started (w, event);
      break;
    case DUB_EVENT_DUB_HEARD:
    case DUB_EVENT_DUB_DROPPED:
      on_dub_ended (w, event);
      break;
    case DUB_EVENT_FALLBACK:
      on_fallback (w, event);
      break;
    case DUB_EVENT_EPOCH:
      if (g_test_verbose ())
        g_test_message ("%.3f s: epoch at %.3f, picture %d, block %d",
            (double) (w->now_ns - START_NS) / 1e9,
            (double) event->media_ns / 1e9, (int) w->picture, (int) w->block);
      w->before_epoch_ns = w->last_epoch_ns;
      w->last_epoch_ns = event->media_ns;
      w->lag_ns = 0;
      mark_break (w);
      break;
    default:
      break;
  }
}

/* ---- the world ---- */

static void
check_bounds (World *w)
{
  DubProgrammeStats stats;
  gint64 most_ns = w->params.output_delay_ns + 2 * S;

  dub_programme_get_stats (w->programme, &stats);
  CHECK (stats.sound_buffered_ns <= most_ns, "%" G_GINT64_FORMAT,
      stats.sound_buffered_ns);
  CHECK (stats.video_units <= most_ns / PICTURE_NS, "%u", stats.video_units);
  CHECK (stats.dubs_waiting <= DUB_PROGRAMME_MAX_DUBS + 2, "%u",
      stats.dubs_waiting);
  CHECK (stats.fragments_waiting <= DUB_PROGRAMME_MAX_FRAGMENTS, "%u",
      stats.fragments_waiting);
  CHECK (stats.fragments_inflight <= w->params.max_inflight, "%u",
      stats.fragments_inflight);
}

/* Every block that came in time has been heard whole; the rest is in the
 * buffer. */
static void
check_blocks (World *w)
{
  gint64 done_ns = w->now_ns - w->params.output_delay_ns - 15 * S;

  for (guint i = 0; i < w->blocks->len; i++) {
    const Block *block = block_at (w, i);

    if (block->flags & MUST_HEAR && !(block->flags & AT_BREAK) &&
        block->captured_ns < done_ns)
      CHECK (block->heard == BLOCK, "block %u (captured at %.3f s): %u frames",
          i, (double) (block->captured_ns - START_NS) / 1e9, block->heard);
  }
}

/* So has every picture that came in time, with all it refers to. */
static void
check_pictures (World *w)
{
  guint done = w->pictures->len -
               MIN (w->pictures->len,
                   (guint) ((w->params.output_delay_ns + 15 * S) / PICTURE_NS));

  for (guint i = 0; i < done; i++)
    CHECK (w->pictures->data[i] == 0, "picture %u was not shown", i);
}

static void
check_slots (World *w)
{
  for (guint i = 0; i < w->slots->len; i++) {
    const Slot *slot = slot_at (w, i);

    if (slot->slot_first < w->sound_end - 30 * RATE)
      CHECK (slot->fate == ENDED, "slot %u has no end", i);
  }
}

static void
clear_slot (gpointer data)
{
  g_free (((Slot *) data)->id);
}

static void
pick_params (World *w, guint seed)
{
  static const gint64 delays_ms[] = {8000, 5000, 12000, 30000};

  dub_programme_params_init (&w->params);
  w->params.rate_hz = RATE;
  w->params.block_frames = 128;
  w->params.duck_db = 0;
  w->params.dub_fade_ns = 0; /* each sample says which one it is */
  w->params.output_delay_ns = delays_ms[seed % G_N_ELEMENTS (delays_ms)] * MS;
  w->params.lead_ns = (seed % 3) * 100 * MS;
  w->params.source_loss =
      seed % 2 == 0 ? DUB_SOURCE_LOSS_HOLD : DUB_SOURCE_LOSS_SILENCE;
}

static World *
world_new (guint seed, gint64 hours)
{
  static const DubProgrammeSinks sinks = {
      on_video, on_sound, on_heard, on_fragment, on_event};
  World *w = g_new0 (World, 1);

  w->rand = g_rand_new_with_seed (seed);
  pick_params (w, seed);
  w->programme = dub_programme_new (&w->params, &sinks, w);
  w->now_ns = START_NS;
  w->end_ns = START_NS + hours * 3600 * S;
  w->run_ns = G_MAXINT64;
  w->sound_switch_ns = G_MAXINT64;
  w->next_trouble_ns = START_NS + 60 * S;
  w->next_link_ns = START_NS + S;
  w->last_content = -1;
  w->last_dts_ns = -1;
  w->last_epoch_ns = w->before_epoch_ns = -S;
  w->blocks = g_array_sized_new (
      FALSE, FALSE, sizeof (Block), (guint) (hours * 3600 * 50));
  w->pictures = g_byte_array_sized_new ((guint) (hours * 3600 * 25));
  w->slots = g_array_new (FALSE, FALSE, sizeof (Slot));
  g_array_set_clear_func (w->slots, clear_slot);
  w->replies = g_array_new (FALSE, FALSE, sizeof (Reply));
  w->playing = g_array_new (FALSE, FALSE, sizeof (guint));
  w->ring = g_new0 (gint16, RING);
  anchor (w, w->now_ns);
  pick_base (w);
  w->base_ms[1] = w->base_ms[0];
  schedule_arrival (w);
  return w;
}

static void
world_free (World *w)
{
  dub_programme_free (w->programme);
  g_queue_clear_full (&w->marks, g_free);
  g_queue_clear_full (&w->shown, g_free);
  g_array_unref (w->blocks);
  g_array_unref (w->slots);
  g_byte_array_unref (w->pictures);
  g_array_unref (w->replies);
  g_array_unref (w->playing);
  g_rand_free (w->rand);
  g_free (w->ring);
  g_free (w);
}

static gint64
next_time (const World *w)
{
  const Mark *mark = g_queue_peek_head ((GQueue *) &w->marks);
  gint64 at_ns = MIN (w->run_ns, w->next_arrival_ns);

  at_ns = MIN (at_ns, MIN (w->next_trouble_ns, w->next_link_ns));
  if (mark != NULL)
    at_ns = MIN (at_ns, mark->at_ns);
  if (w->replies->len > 0)
    at_ns =
        MIN (at_ns, g_array_index (w->replies, Reply, next_reply (w)).at_ns);
  if (w->down_until_ns != 0)
    at_ns = MIN (at_ns, w->down_until_ns);
  return at_ns;
}

static void
step (World *w)
{
  const Mark *mark = g_queue_peek_head (&w->marks);

  gint64 before_ns = w->now_ns;

  w->now_ns = MAX (w->now_ns, next_time (w));
  make_good (w, w->now_ns - before_ns);
  if (w->down_until_ns != 0 && w->down_until_ns <= w->now_ns)
    come_back (w);
  else if (w->next_trouble_ns <= w->now_ns)
    trouble (w);
  else if (w->next_link_ns <= w->now_ns)
    step_link (w);
  else if (w->replies->len > 0 &&
           g_array_index (w->replies, Reply, next_reply (w)).at_ns <= w->now_ns)
    step_reply (w);
  else if (mark != NULL && mark->at_ns <= w->now_ns)
    step_mark (w);
  else if (w->next_arrival_ns <= w->now_ns)
    step_source (w);
  w->run_ns = dub_programme_run (w->programme, w->now_ns);
  CHECK (w->run_ns > w->now_ns, "run again at once");
}

static void
report (const World *w)
{
  DubProgrammeStats stats;

  dub_programme_get_stats (w->programme, &stats);
  g_test_message ("delay %" G_GINT64_FORMAT " ms: %.0f s of sound out, %u of "
                  "%u blocks whole, pictures %" G_GUINT64_FORMAT
                  " in, %" G_GUINT64_FORMAT
                  " out (%u in sync), %" G_GUINT64_FORMAT " epochs",
      w->params.output_delay_ns / MS, (double) stats.sound_frames_out / RATE,
      w->n_heard_blocks, w->blocks->len, stats.video_in, stats.video_out,
      w->n_synced, stats.epochs);
  g_test_message (
      "fragments %u: %" G_GUINT64_FORMAT " dubs heard, %" G_GUINT64_FORMAT
      " dropped for lag, fallback %" G_GUINT64_FORMAT
      " timeout %" G_GUINT64_FORMAT " failed %" G_GUINT64_FORMAT
      " overload %" G_GUINT64_FORMAT " lost %" G_GUINT64_FORMAT
      " not ready %" G_GUINT64_FORMAT " gone; delay off by %.1f … %.1f ms",
      w->slots->len, w->n_dubs_heard, w->n_dubs_lagged, stats.fallback_timeout,
      stats.fallback_failed, stats.fallback_overload,
      stats.fallback_disconnected, stats.fallback_not_ready,
      stats.fallback_gone, (double) w->worst_early_ns / 1e6,
      (double) w->worst_late_ns / 1e6);
}

static gint64
from_env (const char *name, gint64 fallback)
{
  const char *text = g_getenv (name);

  return text != NULL ? g_ascii_strtoll (text, NULL, 10) : fallback;
}

/* The heap after an hour and at the end, less what the test itself keeps. */
static gsize
heap_bytes (const World *w)
{
  gsize ours = 0;

  for (guint i = 0; i < w->slots->len; i++)
    ours += 48; /* the id */
  return mallinfo2 ().uordblks + mallinfo2 ().hblkhd - ours -
         (gsize) g_array_get_element_size (w->slots) * w->slots->len;
}

static void
test_nothing_is_lost (gconstpointer data)
{
  guint seed = GPOINTER_TO_UINT (data);
  gint64 hours = from_env ("DUB_PROPERTY_HOURS", DEFAULT_HOURS);
  World *w = world_new (seed, hours);
  gint64 next_check_ns = START_NS + 1800 * S;
  gsize early_heap = 0;

  while (w->now_ns < w->end_ns) {
    step (w);
    if (w->now_ns < next_check_ns)
      continue;
    check_bounds (w);
    next_check_ns += 10 * S;
    if (early_heap == 0)
      early_heap = heap_bytes (w);
  }
  report (w);
  check_blocks (w);
  check_pictures (w);
  check_slots (w);
#ifndef __SANITIZE_ADDRESS__
  g_assert_cmpint ((gint64) heap_bytes (w) - (gint64) early_heap, <, 8 << 20);
#endif
  g_assert_cmpuint (w->n_dubs_heard, >, (guint) hours * 100);
  g_assert_cmpuint (w->n_synced, >, (guint) hours * 50000);
  g_assert_cmpuint (w->n_heard_blocks, >, w->blocks->len * 9 / 10);
  world_free (w);
}

int
main (int argc, char **argv)
{
  gint64 n_seeds;

  g_test_init (&argc, &argv, NULL);
  n_seeds = from_env ("DUB_PROPERTY_SEEDS", 4);
  for (gint64 i = 0; i < n_seeds; i++) {
    g_autofree char *path =
        g_strdup_printf ("/media/programme-property/seed-%d", (int) i);

    g_test_add_data_func (
        path, GUINT_TO_POINTER ((guint) i), test_nothing_is_lost);
  }
  return g_test_run ();
}
