/* SPDX-License-Identifier: Apache-2.0 */
#include "proc_figures.h"

#include <string.h>
#include <unistd.h>

static char *
read_file (const char *pid, const char *name)
{
  g_autofree char *path = g_build_filename ("/proc", pid, name, NULL);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : NULL;
}

static double
number (const char *text)
{
  return (double) g_ascii_strtoull (text, NULL, 10);
}

/* utime and stime are the 14th and 15th of the figures; the second is the
 * name in brackets, which may hold anything. */
static double
cpu_of (const char *stat)
{
  const char *after_name = strrchr (stat, ')');
  g_auto (GStrv) figures = NULL;

  if (after_name == NULL)
    return 0;
  figures = g_strsplit (after_name, " ", 15);
  if (g_strv_length (figures) < 14)
    return 0;
  return (number (figures[12]) + number (figures[13])) /
         (double) sysconf (_SC_CLK_TCK);
}

double
dub_proc_cpu_s (const char *pid)
{
  g_autofree char *text = read_file (pid, "stat");

  return text != NULL ? cpu_of (text) : 0;
}

double
dub_proc_resident_mib (const char *pid)
{
  g_autofree char *text = read_file (pid, "statm");
  g_auto (GStrv) pages = NULL;

  if (text == NULL)
    return 0;
  pages = g_strsplit (text, " ", 3);
  if (g_strv_length (pages) < 2)
    return 0;
  return number (pages[1]) * (double) sysconf (_SC_PAGESIZE) / (1 << 20);
}

static double
sum_of_list (const char *path, double (*figure) (const char *pid))
{
  g_autofree char *text = NULL;
  g_auto (GStrv) pids = NULL;
  double sum = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  pids = g_strsplit (g_strstrip (text), " ", -1);
  for (guint i = 0; pids[i] != NULL && *pids[i] != '\0'; i++) {
    g_autofree char *below =
        g_strdup_printf ("/proc/%s/task/%s/children", pids[i], pids[i]);

    sum += figure (pids[i]) + sum_of_list (below, figure);
  }
  return sum;
}

double
dub_proc_sum_of_children (double (*figure) (const char *pid))
{
  return sum_of_list ("/proc/thread-self/children", figure);
}
