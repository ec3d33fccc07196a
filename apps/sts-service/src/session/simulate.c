/* SPDX-License-Identifier: Apache-2.0 */
#include "simulate.h"

static gboolean
is_match (const DubErrorRule *rule, guint64 sequence_number,
    const char *fragment_id, guint64 nth)
{
  gboolean is_number = rule->text == NULL && rule->number >= 0;

  switch (rule->trigger) {
    case DUB_TRIGGER_SEQUENCE_NUMBER:
      return is_number && (guint64) rule->number == sequence_number;
    case DUB_TRIGGER_FRAGMENT_ID:
      return rule->text && g_str_equal (rule->text, fragment_id);
    case DUB_TRIGGER_NTH_FRAGMENT:
      return is_number && rule->number > 0 && nth % (guint64) rule->number == 0;
    case DUB_TRIGGER_NONE:
    default:
      return FALSE;
  }
}

/* A rule that has been met as often as it wanted is gone. */
static const DubErrorRule *
use_rule (DubErrorRule *rule)
{
  if (rule->count > 0 && --rule->count == 0)
    rule->trigger = DUB_TRIGGER_NONE;
  return rule;
}

const DubErrorRule *
dub_error_simulation_meet (DubErrorSimulation *simulation,
    guint64 sequence_number, const char *fragment_id, guint64 nth)
{
  if (!simulation || !simulation->is_enabled)
    return NULL;
  for (guint i = 0; i < simulation->rules->len; i++) {
    DubErrorRule *rule = g_ptr_array_index (simulation->rules, i);

    if (is_match (rule, sequence_number, fragment_id, nth))
      return use_rule (rule);
  }
  return NULL;
}
