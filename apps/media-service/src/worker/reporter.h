/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../programme/programme.h"
#include "control.h"

/*
 * Says what happens to a stream: to the log (transcripts at debug only), and
 * to whoever listens at the control socket, one event object each, named as
 * the programme's event, with the fields that apply:
 *
 *   fragment_id, number, media_s, duration_s, lag_ms, detail,
 *   transcript, translated_text          (dub_started, dub_heard)
 *   error_code, error_message            (fallback; the service's own words)
 *   language                             (where there are several)
 *
 * Events of single pictures and blocks are only counted, by the metrics.
 *
 * Main thread only.
 */
G_BEGIN_DECLS

typedef struct _DubReporter DubReporter;

/* control: (nullable); outlives the reporter. language: (nullable) */
DubReporter *dub_reporter_new (DubControl *control, const char *language);
void dub_reporter_free (DubReporter *self);

/* Its texts are kept, to be told when its dub is heard; its sound is not. Of
 * two answers to one fragment the first counts. */
void dub_reporter_answer (DubReporter *self, const DubAnswer *answer);
void dub_reporter_event (DubReporter *self, const DubProgrammeEvent *event);
/* "output_running", "output_lost", "service_ready", "service_lost", "progress".
 * text: why, or how far; (nullable) */
void dub_reporter_notice (
    DubReporter *self, const char *event, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubReporter, dub_reporter_free)

G_END_DECLS
