/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>
#include <libsoup/soup.h>

/*
 * The real sts-service as a process of its own, on a free port. The program
 * is the one that STS_SERVICE names.
 */
G_BEGIN_DECLS

typedef struct {
  GSubprocess *process;
  char *url; /* http://127.0.0.1:37325 */
  SoupSession *http;
} Service;

/* settings: "NAME", "value" pairs, NULL-terminated. Waits until it is ready,
 * at most a minute. */
void service_start (Service *service, const char *const *settings);
/* SIGTERM, and it must end well. */
void service_stop (Service *service);

int service_get_pid (Service *service);
/* Blocks. (transfer full) */
char *service_get (Service *service, const char *path, guint *ret_status);
/* The sum of a family's series in /metrics; labels: what a line must have. */
double service_metric (
    Service *service, const char *family, const char *labels);
/* Resident memory and processor time of the process. */
double service_rss_mib (Service *service);

G_END_DECLS
