/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/config.h>

/*
 * The verbs of the tool: each takes the words behind its own name, prints for
 * people (or, with --json, for scripts) and gives the exit status, one of
 * sysexits.h:
 *
 *   0  done          64  wrong words        65  the input is no media of ours
 *   66 no such file  69  a service, program, engine or model is missing
 *   70 it broke      73  the output cannot be written
 *   75 ended early   78  a setting is wrong
 *
 * argv[0] is the verb. The main thread only.
 */
G_BEGIN_DECLS

int dub_verb_doctor (int argc, char **argv);
int dub_verb_chain (int argc, char **argv);
int dub_verb_file (int argc, char **argv);
int dub_verb_live (int argc, char **argv);
int dub_verb_status (int argc, char **argv);
int dub_verb_start (int argc, char **argv);
int dub_verb_stop (int argc, char **argv);
int dub_verb_events (int argc, char **argv);

typedef struct {
  const char *name;  /* "dub doctor" */
  const char *words; /* what goes with it: "URL URL"; NULL: nothing */
  const char *what;  /* it does, for --help */
  const DubOption *options;
} DubVerb;

/* What every verb begins with: fills settings from the words and the
 * environment, and leaves in argv what has no dashes. FALSE: there is nothing
 * to do any more (help was asked for, or a setting is wrong), and ret_status
 * is the exit status. */
gboolean dub_verb_begin (const DubVerb *verb, gpointer settings, int *argc,
    char ***argv, int *ret_status);
/* Says that word does not belong there; the exit status. */
int dub_verb_refuse (const char *name, const char *word);

G_END_DECLS
