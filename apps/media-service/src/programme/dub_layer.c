/* SPDX-License-Identifier: Apache-2.0 */
#include "dub_layer.h"

#include <math.h>
#include <string.h>

typedef struct {
  DubAnswer *answer;
  guint64 number;
  gint64 slot_first, slot_end;
  gint64 start, end; /* once placed */
} Dub;

typedef struct {
  gint64 from, to;
  float gain;
} Region;

/* One per dub and fallback slot that is still to come. */
#define MAX_REGIONS 256

struct _DubDubLayer {
  const DubProgrammeParams *params;
  DubProgrammeSinks sinks;
  DubProgrammeStats *stats;
  gpointer user_data;
  GQueue waiting; /* Dub, by slot_first */
  GQueue placed;  /* Dub, one after the other */
  gint64 placed_end;
  GArray *regions; /* Region */
};

static void
dub_free (Dub *dub)
{
  dub_answer_unref (dub->answer);
  g_free (dub);
}

DubDubLayer *
dub_dub_layer_new (const DubProgrammeParams *params,
    const DubProgrammeSinks *sinks, DubProgrammeStats *stats,
    gpointer user_data)
{
  DubDubLayer *self = g_new0 (DubDubLayer, 1);

  self->params = params;
  self->sinks = *sinks;
  self->stats = stats;
  self->user_data = user_data;
  g_queue_init (&self->waiting);
  g_queue_init (&self->placed);
  self->regions = g_array_new (FALSE, FALSE, sizeof (Region));
  return self;
}

void
dub_dub_layer_free (DubDubLayer *self)
{
  if (self == NULL)
    return;
  g_queue_clear_full (&self->waiting, (GDestroyNotify) dub_free);
  g_queue_clear_full (&self->placed, (GDestroyNotify) dub_free);
  g_array_unref (self->regions);
  g_free (self);
}

static void
emit (DubDubLayer *self, DubProgrammeEventType type, const Dub *dub,
    const char *detail)
{
  guint rate_hz = self->params->rate_hz;
  gint64 at = detail != NULL ? dub->slot_first : dub->start;

  if (self->sinks.event == NULL)
    return;
  self->sinks.event (
      &(DubProgrammeEvent){.type = type,
          .media_ns = dub_frames_to_ns (at, rate_hz),
          .duration_ns =
              dub_frames_to_ns ((gint64) dub->answer->pcm->frames, rate_hz),
          .lag_ns = dub_frames_to_ns (at - dub->slot_first, rate_hz),
          .number = dub->number,
          .fragment_id = dub->answer->fragment_id,
          .detail = detail,
          .answer = dub->answer},
      self->user_data);
}

static void
drop (DubDubLayer *self, Dub *dub, guint64 *counter, const char *detail)
{
  (*counter)++;
  emit (self, DUB_EVENT_DUB_DROPPED, dub, detail);
  dub_free (dub);
}

/* NULL, or the word for what is wrong with it. */
static const char *
find_fault (const DubDubLayer *self, const DubPcm *pcm)
{
  if (pcm->rate_hz != self->params->rate_hz || pcm->channels < 1 ||
      pcm->channels > DUB_PROGRAMME_CHANNELS)
    return "format";
  if (pcm->frames == 0)
    return "empty";
  if (dub_pcm_duration_ns (pcm) > DUB_PROGRAMME_MAX_DUB_NS)
    return "too_long";
  if (self->waiting.length >= DUB_PROGRAMME_MAX_DUBS)
    return "full";
  return NULL;
}

static int
compare_slots (gconstpointer a, gconstpointer b, gpointer user_data)
{
  gint64 first = ((const Dub *) a)->slot_first;
  gint64 other = ((const Dub *) b)->slot_first;

  return (first > other) - (first < other);
}

void
dub_dub_layer_add (
    DubDubLayer *self, const DubFragment *slot, DubAnswer *answer)
{
  Dub *dub = g_new0 (Dub, 1);
  const char *fault = find_fault (self, answer->pcm);

  dub->answer = dub_answer_ref (answer);
  dub->number = slot->number;
  dub->slot_first = dub_ns_to_frames (slot->pcm->pts_ns, self->params->rate_hz);
  dub->slot_end = dub->slot_first + (gint64) slot->pcm->frames;
  if (fault != NULL)
    drop (self, dub, &self->stats->dubs_dropped_other, fault);
  else
    g_queue_insert_sorted (&self->waiting, dub, compare_slots, NULL);
}

void
dub_dub_layer_add_region (DubDubLayer *self, gint64 from, gint64 to, float gain)
{
  Region region = {from, to, gain};

  if (from < to && self->regions->len < MAX_REGIONS)
    g_array_append_val (self->regions, region);
}

static float
under_gain (const DubDubLayer *self)
{
  if (self->params->mix_mode == DUB_MIX_REMOVE)
    return 0.0f;
  return (float) pow (10.0, self->params->duck_db / 20.0);
}

static void
start_dub (DubDubLayer *self, Dub *dub, gint64 start)
{
  dub->start = start;
  dub->end = start + (gint64) dub->answer->pcm->frames;
  self->placed_end = dub->end;
  g_queue_push_tail (&self->placed, dub);
  dub_dub_layer_add_region (
      self, start, MAX (dub->end, dub->slot_end), under_gain (self));
  emit (self, DUB_EVENT_DUB_STARTED, dub, NULL);
}

void
dub_dub_layer_place (DubDubLayer *self, gint64 first, gsize frames)
{
  gint64 horizon = first + (gint64) frames;
  gint64 max_lag =
      dub_ns_to_frames (self->params->max_dub_lag_ns, self->params->rate_hz);
  Dub *dub;

  while ((dub = g_queue_peek_head (&self->waiting)) != NULL) {
    gint64 start = MAX (dub->slot_first, MAX (first, self->placed_end));

    if (dub->slot_first >= horizon)
      return;
    if (start - dub->slot_first > max_lag) {
      g_queue_pop_head (&self->waiting);
      drop (self, dub, &self->stats->dubs_dropped_lag, "lag");
    } else if (start < horizon) {
      g_queue_pop_head (&self->waiting);
      start_dub (self, dub, start);
    } else {
      return;
    }
  }
}

gboolean
dub_dub_layer_is_clear (const DubDubLayer *self, gint64 first, gsize frames)
{
  for (guint i = 0; i < self->regions->len; i++) {
    const Region *region = &g_array_index (self->regions, Region, i);

    if (region->from < first + (gint64) frames && region->to > first)
      return FALSE;
  }
  return TRUE;
}

static void
lower_target (const Region *region, gint64 first, gsize frames, float *target)
{
  gint64 from = MAX (region->from, first) - first;
  gint64 to = MIN (region->to, first + (gint64) frames) - first;

  for (gint64 i = from; i < to; i++)
    target[i] = MIN (target[i], region->gain);
}

/* A voice cut in at its full height is heard as a click: a straight line up at
 * its start and down at its end. */
static float
edge_gain (const Dub *dub, gint64 at, gint64 fade)
{
  gint64 edge = MIN (at - dub->start, dub->end - 1 - at);

  return edge < fade ? (float) (edge + 1) / (float) (fade + 1) : 1.0f;
}

static void
add_samples (const Dub *dub, gint64 first, gsize frames, gint64 fade,
    float *out, DubMixerInput *input)
{
  const DubPcm *pcm = dub->answer->pcm;
  gint64 from = MAX (dub->start, first);
  gint64 to = MIN (dub->end, first + (gint64) frames);

  if (from >= to)
    return;
  fade = MIN (fade, (gint64) pcm->frames / 2);
  for (gint64 at = from; at < to; at++) {
    const gint16 *in = pcm->samples + (at - dub->start) * pcm->channels;
    float gain = edge_gain (dub, at, fade);

    out[(at - first) * 2] = in[0] * gain;
    out[(at - first) * 2 + 1] = in[pcm->channels - 1] * gain;
  }
  if (input->dub == NULL)
    input->dub_from = from - first;
  input->dub = out;
  input->dub_to = to - first;
}

void
dub_dub_layer_fill (const DubDubLayer *self, gint64 first, gsize frames,
    float *dub, float *target, DubMixerInput *ret_input)
{
  gint64 fade =
      dub_ns_to_frames (self->params->dub_fade_ns, self->params->rate_hz);

  *ret_input = (DubMixerInput){.target = target};
  for (gsize i = 0; i < frames; i++)
    target[i] = 1.0f;
  for (guint i = 0; i < self->regions->len; i++)
    lower_target (
        &g_array_index (self->regions, Region, i), first, frames, target);
  if (self->placed.length == 0)
    return;
  memset (dub, 0, frames * DUB_PROGRAMME_CHANNELS * sizeof (float));
  for (const GList *l = self->placed.head; l != NULL; l = l->next)
    add_samples (l->data, first, frames, fade, dub, ret_input);
}

void
dub_dub_layer_advance (DubDubLayer *self, gint64 next)
{
  Dub *dub;

  while (
      (dub = g_queue_peek_head (&self->placed)) != NULL && dub->end <= next) {
    g_queue_pop_head (&self->placed);
    self->stats->dubs_heard++;
    self->stats->dubbed_frames += dub->slot_end - dub->slot_first;
    emit (self, DUB_EVENT_DUB_HEARD, dub, NULL);
    dub_free (dub);
  }
  for (guint i = self->regions->len; i > 0; i--)
    if (g_array_index (self->regions, Region, i - 1).to <= next)
      g_array_remove_index_fast (self->regions, i - 1);
}

guint
dub_dub_layer_length (const DubDubLayer *self)
{
  return self->waiting.length + self->placed.length;
}

gint64
dub_dub_layer_end_frame (const DubDubLayer *self)
{
  if (self->waiting.length > 0)
    return G_MAXINT64;
  return self->placed.length > 0 ? self->placed_end : 0;
}
