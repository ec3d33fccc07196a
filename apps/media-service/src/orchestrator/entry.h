/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "control_client.h"
#include "figures.h"
#include "orchestrator.h"
#include "process.h"
#include "stream.h"
#include "stream_settings.h"

/*
 * What the orchestrator's own files share: a stream with what it was told and
 * the worker that carries it out. Nobody else includes this.
 *
 * Thread: the default main context.
 */
G_BEGIN_DECLS

typedef struct _DubEntry DubEntry;

typedef struct {
  gint64 id; /* of the set command; 0: none is under way */
  guint timer_id;
  DubChanged done;
  gpointer user_data;
} DubPendingChange;

struct _DubEntry {
  DubOrchestrator *owner;
  char *id;
  DubStream *stream;
  DubOrigin origin;
  gint64 since_s; /* unix time of the last change of its state */

  /* Who wants it. */
  gboolean is_operators;  /* runs whether or not there is a publisher */
  gboolean is_held;       /* an operator stopped it: not for this publisher */
  gboolean has_publisher; /* as far as we know */
  gboolean is_leaving;    /* goes from the list as soon as it is stopped */
  char *source_id;        /* (nullable) of the last publisher */
  guint n_absent;         /* lists in a row that did not name it */
  gint64 stopped_ns;

  /* What it is told; any of them NULL: says nothing. */
  DubStreamSettings *query, *file, *api;
  DubStreamSettings *running; /* what its worker was started with, if known */
  gboolean is_h265;           /* the media server says so */
  gboolean has_looked;        /* and did so of this publisher */

  /* The worker that runs. */
  char *run_id;
  guint start_id, timer_id; /* sources */
  gboolean is_looking;      /* start_id waits for what the media server says */
  DubProcess *process;
  DubControlClient *client;
  gboolean wants_reconnect; /* told as soon as there is a connection */
  char *worker_state, *worker_reason;
  char *metrics_text;
  gint64 metrics_ns; /* when it came */
  gboolean has_figures;
  DubFigures figures;
  DubHistory *history;
  JsonArray *destinations; /* as the worker tells them; NULL: it has not */
  DubPendingChange change;
};

struct _DubOrchestrator {
  const DubServiceSettings *settings;
  DubStreamSettings *defaults;
  DubMetrics *metrics;
  GHashTable *entries; /* id -> DubEntry */
  GHashTable *file;    /* id -> DubStreamSettings, of STREAMS_FILE */
  DubMetric *state_gauge, *degraded, *starts, *exits, *active;
  guint history_id, sweep_id; /* sources */
  DubWatch watch;
  gpointer watch_data;
  DubLook look; /* (nullable) */
  gpointer look_data;
  GDestroyNotify all_stopped;
  gpointer all_stopped_data;
};

#define DUB_ENTRY_LOG(entry, level, ...)                                       \
  dub_log_fields (level, DUB_LOG_TOPIC,                                        \
      (const char *const[]){                                                   \
          "stream_id", (entry)->id, "run_id", (entry)->run_id, NULL},          \
      __VA_ARGS__)

gint64 dub_now_ns (void);
gboolean dub_state_is_active (DubStreamState state);
/* Label values of the entry's series; valid until the next call. */
const char *const *dub_entry_label (DubEntry *entry);

/* orchestrator.c; publishers.c and operators.c have what those do. */

/* (nullable) (transfer none) */
DubEntry *dub_orchestrator_find (DubOrchestrator *self, const char *id);
/* Into the list. (transfer none) */
DubEntry *dub_entry_new (
    DubOrchestrator *self, const char *id, DubOrigin origin);
/* It has a worker, or waits for one. */
gboolean dub_entry_is_active (DubEntry *entry);
/* How many have a worker, or wait for one. */
guint dub_orchestrator_count_active (DubOrchestrator *self);
/* DUB_ORDER_DONE: one more may run; entry: (nullable): a new one. */
DubOrder dub_orchestrator_check_place (DubOrchestrator *self, DubEntry *entry);
/* Drops those that are to go. Never from within an entry's own callbacks. */
void dub_orchestrator_sweep (DubOrchestrator *self);
/* Sets the timer anew: after each call into the stream. */
void dub_entry_arm (DubEntry *entry);
/* All layers. (transfer full) */
DubStreamSettings *dub_entry_effective (DubEntry *entry);
/* Tells the watch, and keeps what a next media-service must know. */
void dub_entry_tell (DubEntry *entry);

/* entry_worker.c: the functions of its DubStream, and its worker. */

extern const DubStreamFuncs dub_entry_stream_funcs;
void dub_entry_clear_start (DubEntry *entry);
/* Not the media server's live/<id>/in, so no publisher brings it. */
gboolean dub_entry_has_own_source (DubEntry *entry);
/* In the next turn of the loop. */
void dub_entry_start_now (DubEntry *entry);
void dub_entry_forget_worker (DubEntry *entry);
/* Its worker runs already. */
void dub_entry_adopt (DubEntry *entry, const char *socket_path);
void dub_entry_reconnect (DubEntry *entry);
/* (transfer full) */
char *dub_entry_socket_path (DubEntry *entry);

/* entry_change.c */

/* Makes the worker do as the settings say now. done is called once. */
void dub_entry_change (DubEntry *entry, DubChanged done, gpointer user_data);
void dub_entry_end_change (DubEntry *entry, DubOrder order);
void dub_entry_take_reply (DubEntry *entry, gint64 id, const char *error);

/* entry_json.c; (transfer full) each */

JsonObject *dub_entry_to_json (DubEntry *entry);
/* What a next media-service must know. */
JsonObject *dub_entry_to_state (DubEntry *entry);
void dub_entry_from_state (DubEntry *entry, JsonObject *state);

G_END_DECLS
