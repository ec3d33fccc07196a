/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * When the words of a transcript were said, as an estimate: the parts of the
 * sound that are loud are shared out among the words by their letters, so that
 * a pause lies between words and not in one. Good to some tenths of a second,
 * and costs nothing; the recognisers tell nothing better as we run them
 * (docs/internals/speech.md).
 *
 * Pure logic; any thread.
 */
G_BEGIN_DECLS

/* More words than this are not placed. */
#define DUB_WORD_TIMES_MAX 512

/* samples: mono. Objects of "word", "start_time_ms" and "end_time_ms" (from
 * the first sample on; start < end, in order, within the sound). NULL where
 * there is no text, no sound, or too many words. Where words are not written
 * apart, each sign is one. (transfer full) (nullable) */
JsonArray *dub_word_times_estimate (
    const char *text, const float *samples, gsize n_samples, guint rate_hz);

G_END_DECLS
