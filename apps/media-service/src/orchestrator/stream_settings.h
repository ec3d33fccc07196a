/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/stream_id.h>
#include <json-glib/json-glib.h>

/*
 * What a stream is told, in layers: each layer says what it has something to
 * say about, and the upper wins, field by field:
 *
 *   defaults of the service < publisher's query < STREAMS_FILE < API
 *
 * A value is kept as the text that a worker takes it by (DUCK_DB=-12), checked
 * when it came in. Names and ranges are those of the API's StreamSettings.
 *
 * Any thread.
 */
G_BEGIN_DECLS

typedef enum {
  DUB_SETTING_SOURCE_LANGUAGE = 0,
  DUB_SETTING_TARGET_LANGUAGES, /* "en" or "en,es": the first is the main one */
  DUB_SETTING_VOICE_PROFILE,
  DUB_SETTING_OUTPUT_DELAY_MS,
  DUB_SETTING_DUCK_DB,
  DUB_SETTING_MIX_MODE,
  DUB_SETTING_FALLBACK_MODE,
  DUB_SETTING_DESTINATIONS, /* JSON text; holds keys */
  DUB_SETTING_INPUT_URL,    /* unset: the media server's live/<id>/in */
  DUB_SETTING_OUTPUT_URL,   /* unset: its live/<id>/out */
  DUB_N_SETTINGS,
} DubSetting;

/* As in the API; NULL beyond the last. */
const char *dub_setting_name (DubSetting setting);
/* As the worker calls it. */
const char *dub_setting_variable (DubSetting setting);

typedef struct {
  char *values[DUB_N_SETTINGS]; /* NULL: nothing said */
} DubStreamSettings;

extern const char *const dub_mix_modes[];
extern const char *const dub_fallback_modes[];
extern const char *const dub_output_schemes[];

#define DUB_MAX_LANGUAGES 8
#define DUB_MAX_DESTINATIONS 16
#define DUB_MAX_DESTINATIONS_BYTES 12288
#define DUB_MAX_URL 2048

DubStreamSettings *dub_stream_settings_new (void);
DubStreamSettings *dub_stream_settings_copy (const DubStreamSettings *from);
void dub_stream_settings_free (DubStreamSettings *self);
gboolean dub_stream_settings_equal (
    const DubStreamSettings *a, const DubStreamSettings *b);

/* One value by its name; null takes it back. DUB_ERROR_NOT_FOUND: no such
 * name; DUB_ERROR_INVALID says what is allowed. The message begins with the
 * name and repeats no URL. */
gboolean dub_stream_settings_set (
    DubStreamSettings *self, const char *name, JsonNode *value, GError **error);
/* Destinations that came back as they were shown, without their keys, get
 * those of before (nullable) that have the same name. Does nothing to what is
 * no list of destinations. */
void dub_stream_settings_restore_keys (
    JsonNode *destinations, const DubStreamSettings *before);
/* What upper (nullable) says wins. */
void dub_stream_settings_lay (
    DubStreamSettings *self, const DubStreamSettings *upper);

/* What must hold of all layers together, as a worker will want it: several
 * languages need an output that has a place for each. DUB_ERROR_INVALID; the
 * message begins with the setting's name and repeats no URL. */
gboolean dub_stream_settings_check (
    const DubStreamSettings *all, GError **error);

/* The publisher's query (rtmp://host/live/demo/in?to=es): languages (to, from)
 * and voice, and nothing else, as anyone who may publish can write there. What
 * is not understood is left out. query: (nullable), with or without its '?'.
 * (transfer full) */
DubStreamSettings *dub_stream_settings_parse_query (const char *query);

/* With shows_keys only for what we keep or hand to a worker. Places (input_url,
 * output_url) are there when they are set. (transfer full) */
JsonObject *dub_stream_settings_to_json (
    const DubStreamSettings *self, gboolean shows_keys);
/* The object of to_json (TRUE) back; what is wrong is left out.
 * (transfer full) */
DubStreamSettings *dub_stream_settings_from_json (JsonObject *object);

/* The main language, and all of them. (transfer full) */
char *dub_stream_settings_main_language (const DubStreamSettings *self);
char **dub_stream_settings_languages (const DubStreamSettings *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DubStreamSettings, dub_stream_settings_free)

G_END_DECLS
