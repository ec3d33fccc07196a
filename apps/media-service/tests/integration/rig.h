/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json-glib/json-glib.h>

/*
 * What the integration tests have in common: programs that run, their logs,
 * HTTP, and waiting for a state. Each wait ends the test with the logs when it
 * takes too long. Everything is on 127.0.0.1 and below one temporary folder;
 * each program ends with its rig, by its pid.
 */
G_BEGIN_DECLS

typedef struct {
  char *folder;
  GPtrArray *programs; /* Program */
  char **environment;  /* of programs that are started from now on */
} Rig;

typedef struct {
  char *name, *log_path;
  GPid pid;
  gboolean is_running;
  int status; /* as from waitpid () */
} Program;

void rig_init (Rig *rig);
void rig_clear (Rig *rig);
void rig_set (Rig *rig, const char *name, const char *value);
/* A path below the folder. (transfer full) */
char *rig_path (Rig *rig, const char *name);

/* argv[0] is a path. What it prints goes to its log. */
Program *rig_start (Rig *rig, const char *name, const char *const *argv);
/* Waits for its end. */
void program_wait (Program *program);
void program_kill (Program *program, int signal_number);
/* (transfer full) */
char *program_log (Program *program);

/* Calls until it says TRUE; what names it in the message when it never does. */
typedef gboolean (*RigCheck) (gpointer user_data);
void rig_wait (Rig *rig, const char *what, RigCheck check, gpointer user_data);

/* Status 0: no answer. ret_body: (transfer full) (nullable to ignore) */
guint http_call (const char *method, const char *url, const char *body,
    const char *token, char **ret_body);
JsonObject *http_json (const char *url);
guint free_port (void);
/* MediaMTX with these lines of configuration, and without what they do not
 * name; it listens when this returns. program: as from rig_find_mediamtx (). */
Program *rig_start_mediamtx (
    Rig *rig, const char *program, const char *settings);
/* Its path; NULL when it is not there. (transfer full) (nullable) */
char *rig_find_mediamtx (void);

G_END_DECLS
