/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dubbing_common/config.h>

/*
 * The commands of sts-service that have to do with speech. Each takes argc and
 * argv as main () got them (argv[1] is the command's name) and returns an exit
 * status of sysexits. Logging and gst_init () come before.
 */
G_BEGIN_DECLS

/* sts-service engine KIND: a child that serves its file descriptor 3. Not for
 * people. */
int dub_command_engine (int argc, char **argv);

/* sts-service transcribe FILE [--language LL] [--task translate]: prints what
 * is said in a sound file, a line per stretch of at most 25 s. */
int dub_command_transcribe (int argc, char **argv);

/* sts-service fragment FILE... : sends each file through the whole chain as
 * fragments of 5 s and prints what was heard, said and how long it took. */
int dub_command_fragment (int argc, char **argv);

/* sts-service say TEXT... [--to LL] [--profile NAME] [--output FILE.wav]:
 * speaks, and prints how long it took. */
int dub_command_say (int argc, char **argv);

/* sts-service measure [--json] [--quick] [--clip FILE]: what each engine of
 * this build costs on this machine, and what is missing. */
int dub_command_measure (int argc, char **argv);

/* What the commands for people begin with. */
typedef struct {
  const char *words; /* that go with it: "FILE..."; "" for none */
  const char *what;  /* it does, for --help */
  const DubOption *options;
  gpointer settings; /* filled by them */
  guint least, most; /* how many words */
} DubCommand;

/* Fills the settings from the words and the environment, and leaves in argv the
 * two names and what has no dashes. FALSE: there is nothing to do any more
 * (help was asked for, or a word or setting is wrong), and ret_status is the
 * exit status; the settings then hold nothing. */
gboolean dub_command_begin (
    const DubCommand *command, int *argc, char ***argv, int *ret_status);

G_END_DECLS
