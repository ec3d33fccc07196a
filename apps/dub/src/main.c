/* SPDX-License-Identifier: Apache-2.0 */
#define DUB_LOG_TOPIC "dub.main"

#include <dub/verbs.h>
#include <dubbing_common/log.h>
#include <gst/gst.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct {
  const char *name;
  int (*run) (int argc, char **argv);
  const char *what;
} verbs[] = {
    {"file", dub_verb_file, "dubs a file: dub file in.mp4 -o out.mp4 --to es"},
    {"live", dub_verb_live, "dubs a live stream: dub live URL URL --to es"},
    {"status", dub_verb_status, "says which streams are dubbed now"},
    {"start", dub_verb_start, "starts a stream: dub start demo --to es"},
    {"stop", dub_verb_stop, "stops a stream at once: dub stop demo"},
    {"events", dub_verb_events, "says what happens, as it happens"},
    {"chain", dub_verb_chain, "says which engines dub --from one --to another"},
    {"doctor", dub_verb_doctor, "says what this machine has, lacks and can do"},
};

static int
print_help (FILE *out, int status)
{
  fputs ("dub: live streams and files in another language.\n\n", out);
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    fprintf (out, "  dub %-8s %s\n", verbs[i].name, verbs[i].what);
  fputs ("\n`dub VERB --help` lists the settings of each.\n", out);
  return status;
}

/* What GStreamer and our own warnings say would break up what we print. */
static void
start_log (void)
{
  DubLogLevel level = DUB_LOG_ERROR;
  const char *text = g_getenv ("LOG_LEVEL");

  if (text != NULL)
    dub_log_level_parse (text, &level);
  dub_log_init ("dub", level, DUB_LOG_AUTO);
}

int
main (int argc, char **argv)
{
  const char *word = argc > 1 ? argv[1] : "";

  if (g_str_equal (word, "--help") || g_str_equal (word, "-h"))
    return print_help (stdout, EX_OK);
  if (g_str_equal (word, "--version")) {
    puts ("dub " DUB_VERSION);
    return EX_OK;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++) {
    if (!g_str_equal (word, verbs[i].name))
      continue;
    start_log ();
    gst_init (NULL, NULL);
    return verbs[i].run (argc - 1, argv + 1);
  }
  if (*word)
    fprintf (stderr, "dub: there is no verb \"%s\"\n", word);
  return print_help (stderr, EX_USAGE);
}
