/* SPDX-License-Identifier: Apache-2.0 */
#include "programs.h"

#include <dubbing_common/error.h>
#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#define MAX_OUTPUT (256 * 1024)
/* Some engines take a minute to measure. */
#define LIMIT_S 600

/* From the folder of this program in the build folder. */
static const struct {
  const char *name, *folder;
} built[] = {
    {"media-service", "../media-service/src/api"},
    {"media-worker", "../media-service/src/worker"},
    {"mtx-hook", "../media-service/deploy/mediamtx/hooks"},
    {"sts-service", "../sts-service"},
};

/* (transfer full) */
static char *
own_folder (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);

  return self != NULL ? g_path_get_dirname (self) : g_strdup (".");
}

/* path: (transfer full). Its whole path, NULL when it is no program. */
static char *
take_if_program (char *path)
{
  char *whole = NULL;

  if (g_file_test (path, G_FILE_TEST_IS_EXECUTABLE) &&
      !g_file_test (path, G_FILE_TEST_IS_DIR))
    whole = g_canonicalize_filename (path, NULL);
  g_free (path);
  return whole;
}

static char *
find_built (const char *folder, const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (built); i++)
    if (g_str_equal (name, built[i].name))
      return take_if_program (
          g_build_filename (folder, built[i].folder, name, NULL));
  return NULL;
}

char *
dub_program_find (const char *name, GError **error)
{
  g_autofree char *folder = own_folder ();
  char *path = take_if_program (g_build_filename (folder, name, NULL));

  if (path == NULL)
    path = find_built (folder, name);
  if (path == NULL)
    path = g_find_program_in_path (name);
  if (path == NULL)
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "the program %s is not there (`make build` makes it)", name);
  return path;
}

char *
dub_program_find_mediamtx (GError **error)
{
  g_autofree char *folder = own_folder ();
  const char *given = g_getenv ("MEDIAMTX");
  char *path = NULL;

  if (given != NULL && *given != '\0')
    path = take_if_program (g_strdup (given));
  if (path == NULL) /* build/native/apps/dub to build/tools */
    path = take_if_program (
        g_build_filename (folder, "../../../tools/mediamtx", NULL));
  if (path == NULL)
    path = g_find_program_in_path ("mediamtx");
  if (path == NULL)
    g_set_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND,
        "MediaMTX is not there (scripts/mediamtx brings it)");
  return path;
}

typedef struct {
  GMainLoop *loop;
  GSubprocess *process;
  char *text;
  GError *error;
  gboolean is_good, is_too_long;
} Asked;

static gboolean
on_asked_too_long (gpointer user_data)
{
  Asked *asked = user_data;

  asked->is_too_long = TRUE;
  g_subprocess_force_exit (asked->process);
  return G_SOURCE_REMOVE;
}

static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Asked *asked = user_data;

  asked->is_good = g_subprocess_communicate_utf8_finish (
      G_SUBPROCESS (source), result, &asked->text, NULL, &asked->error);
  g_main_loop_quit (asked->loop);
}

/* Between fork and exec: who asked may be ended at any time. */
static void
on_setup (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGTERM);
}

/* (transfer full) (nullable) */
static GSubprocess *
start_asked (const char *const *argv, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);

  g_subprocess_launcher_set_child_setup (launcher, on_setup, NULL, NULL);
  return g_subprocess_launcher_spawnv (launcher, argv, error);
}

char *
dub_program_ask (const char *const *argv, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GSource) limit = g_timeout_source_new_seconds (LIMIT_S);
  Asked asked = {.loop = loop};

  g_main_context_push_thread_default (context);
  process = start_asked (argv, error);
  if (process != NULL) {
    asked.process = process;
    g_source_set_callback (limit, on_asked_too_long, &asked, NULL);
    g_source_attach (limit, context);
    g_subprocess_communicate_utf8_async (process, NULL, NULL, on_asked, &asked);
    g_main_loop_run (loop);
    g_source_destroy (limit);
  }
  g_main_context_pop_thread_default (context);
  if (process == NULL)
    return NULL;
  if (!asked.is_good) {
    g_propagate_error (error, asked.error);
    return NULL;
  }
  if (!g_subprocess_get_successful (process) ||
      strlen (asked.text) > MAX_OUTPUT) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_ENGINE, "%s %s", argv[0],
        asked.is_too_long ? "did not end within ten minutes"
                          : "ended with a failure");
    g_free (asked.text);
    return NULL;
  }
  return g_strchomp (asked.text);
}
