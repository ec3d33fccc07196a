/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a program under test: moves its wall clock, and no other, by
 * the seconds that stand in the file CLOCK_SHIFT_FILE. No file, no shift.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t
shift_s (void)
{
  const char *path = getenv ("CLOCK_SHIFT_FILE");
  char text[32] = "";
  int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;

  if (fd < 0)
    return 0;
  if (read (fd, text, sizeof text - 1) < 0)
    text[0] = '\0';
  close (fd);
  return strtol (text, NULL, 10);
}

/* The C library's own names of these are reserved.
 * NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
int
clock_gettime (clockid_t clock, struct timespec *now)
{
  int result = (int) syscall (SYS_clock_gettime, clock, now);

  if (result == 0 &&
      (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    now->tv_sec += shift_s ();
  return result;
}

int
gettimeofday (struct timeval *restrict now, void *restrict zone)
{
  struct timespec exact;

  (void) zone;
  if (clock_gettime (CLOCK_REALTIME, &exact) != 0)
    return -1;
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t
time (time_t *ret_now)
{
  struct timespec now = {0};

  clock_gettime (CLOCK_REALTIME, &now);
  if (ret_now != NULL)
    *ret_now = now.tv_sec;
  return now.tv_sec;
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
