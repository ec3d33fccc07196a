/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/metrics.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static double
cpu_seconds (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
set (DubMetrics *metrics, const char *name, const char *help, double value)
{
  dub_metric_set (dub_metrics_gauge (metrics, name, help, NULL), NULL, value);
}

static void
set_memory (DubMetrics *metrics)
{
  double page = (double) sysconf (_SC_PAGESIZE);
  g_autofree char *text = NULL;
  g_auto (GStrv) pages = NULL;

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return;
  pages = g_strsplit (text, " ", 3);
  if (g_strv_length (pages) < 3)
    return;
  set (metrics, "process_virtual_memory_bytes", "Virtual memory",
      g_ascii_strtod (pages[0], NULL) * page);
  set (metrics, "process_resident_memory_bytes", "Resident memory",
      g_ascii_strtod (pages[1], NULL) * page);
}

/* proc(5): the 22nd field, in ticks since the machine started; the second may
 * hold blanks and ends with the last bracket, and the third follows it. */
static void
set_start (DubMetrics *metrics)
{
  g_autofree char *own = NULL;
  g_autofree char *machine = NULL;
  g_auto (GStrv) fields = NULL;
  const char *after, *line;

  if (!g_file_get_contents ("/proc/self/stat", &own, NULL, NULL) ||
      !g_file_get_contents ("/proc/stat", &machine, NULL, NULL))
    return;
  after = strrchr (own, ')');
  line = strstr (machine, "\nbtime ");
  if (after == NULL || line == NULL)
    return;
  fields = g_strsplit (after + strlen (") "), " ", 21);
  if (g_strv_length (fields) < 21)
    return;
  set (metrics, "process_start_time_seconds",
      "When the process started, in Unix time",
      g_ascii_strtod (line + strlen ("\nbtime "), NULL) +
          g_ascii_strtod (fields[22 - 3], NULL) /
              (double) sysconf (_SC_CLK_TCK));
}

static void
set_files (DubMetrics *metrics)
{
  struct rlimit limit;
  guint n = 0;
  GDir *folder = g_dir_open ("/proc/self/fd", 0, NULL);

  if (folder == NULL)
    return;
  while (g_dir_read_name (folder) != NULL)
    n++;
  g_dir_close (folder);
  set (metrics, "process_open_fds", "Open file descriptors", n - 1.0);
  if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
    set (metrics, "process_max_fds", "As many may be open",
        (double) limit.rlim_cur);
}

void
dub_metrics_set_process (DubMetrics *metrics)
{
  DubMetric *cpu;

  g_return_if_fail (metrics != NULL);
  cpu = dub_metrics_counter (metrics, "process_cpu_seconds_total",
      "User and system time of the process", NULL);
  dub_metric_add (
      cpu, NULL, MAX (cpu_seconds () - dub_metric_get (cpu, NULL), 0));
  set_memory (metrics);
  set_start (metrics);
  set_files (metrics);
}
