/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * What was looked at, in order, and how it stands: lines for people, or one
 * JSON object. Pure; one owner.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_CHECK_NONE = 0,
  DUB_CHECK_OK,
  DUB_CHECK_NOTE,    /* not there, and not needed by everybody */
  DUB_CHECK_MISSING, /* the main job does not run without it */
} DubCheckState;
const char *dub_check_state_to_string (DubCheckState state);

typedef struct _DubReport DubReport;

DubReport *dub_report_new (void);
void dub_report_free (DubReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubReport, dub_report_free)

/* What comes next belongs to this section. */
void dub_report_section (DubReport *self, const char *name);
/* detail: what was found, or what it is for; remedy: what brings it. Both
 * (nullable). */
void dub_report_add (DubReport *self, DubCheckState state, const char *name,
    const char *detail, const char *remedy);
/* Nothing is missing. */
gboolean dub_report_is_good (const DubReport *self);

/* (transfer full) each */
char *dub_report_to_text (const DubReport *self);
JsonNode *dub_report_to_json (const DubReport *self);

G_END_DECLS
