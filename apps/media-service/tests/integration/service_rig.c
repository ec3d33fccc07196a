/* SPDX-License-Identifier: Apache-2.0 */
#include "service_rig.h"

#include <signal.h>
#include <string.h>

char *
service_url (ServiceRig *f, const char *path)
{
  return g_strdup_printf ("http://127.0.0.1:%u%s", f->port, path);
}

gboolean
service_is_healthy (gpointer user_data)
{
  ServiceRig *f = user_data;
  g_autofree char *url = service_url (f, "/health/ready");

  return http_call ("GET", url, NULL, NULL, NULL) == 200;
}

void
service_start (ServiceRig *f)
{
  const char *argv[] = {g_getenv ("MEDIA_SERVICE"), NULL};
  g_autofree char *port = NULL;

  f->port = free_port ();
  port = g_strdup_printf ("%u", f->port);
  rig_set (&f->rig, "PORT", port);
  f->service = rig_start (&f->rig, "media-service", argv);
  rig_wait (&f->rig, "media-service answers", service_is_healthy, f);
}

void
service_set_up (ServiceRig *f, gconstpointer data)
{
  g_autofree char *runtime = NULL;

  rig_init (&f->rig);
  runtime = rig_path (&f->rig, "run");
  rig_set (&f->rig, "RUNTIME_DIR", runtime);
  rig_set (&f->rig, "ORCH_WORKER_COMMAND", g_getenv ("FAKE_WORKER"));
  rig_set (&f->rig, "ORCH_GRACE_PERIOD", "200ms");
  rig_set (&f->rig, "ORCH_STOP_TIMEOUT", "500ms");
  rig_set (&f->rig, "ORCH_RECONCILE_PERIOD", "0");
}

void
service_set_up_started (ServiceRig *f, gconstpointer data)
{
  service_set_up (f, data);
  service_start (f);
}

void
service_tear_down (ServiceRig *f, gconstpointer data)
{
  if (f->service != NULL && f->service->is_running)
    program_kill (f->service, SIGTERM);
  rig_clear (&f->rig);
}

guint
service_post (
    ServiceRig *f, const char *path, const char *body, char **ret_body)
{
  g_autofree char *url = service_url (f, path);

  return http_call ("POST", url, body, NULL, ret_body);
}

guint
service_tell (ServiceRig *f, const char *event, const char *id,
    const char *source, const char *query)
{
  g_autofree char *path = g_strconcat ("/v1/mediamtx/events/", event, NULL);
  g_autofree char *body =
      g_strdup_printf ("{\"path\":\"live/%s/in\",\"sourceType\":\"rtmpConn\","
                       "\"sourceId\":\"%s\",\"query\":\"%s\"}",
          id, source, query);

  return service_post (f, path, body, NULL);
}

/* What /v1/streams says of a stream. (transfer full) (nullable) */
JsonObject *
service_look (ServiceRig *f, const char *id)
{
  g_autofree char *url = service_url (f, "/v1/streams");
  g_autoptr (JsonObject) answer = http_json (url);
  JsonArray *streams;

  if (answer == NULL)
    return NULL;
  streams = json_object_get_array_member (answer, "streams");
  for (guint i = 0; i < json_array_get_length (streams); i++) {
    JsonObject *stream = json_array_get_object_element (streams, i);

    if (g_str_equal (json_object_get_string_member (stream, "stream_id"), id))
      return json_object_ref (stream);
  }
  return NULL;
}

gint64
service_pid_of (ServiceRig *f, const char *id)
{
  g_autoptr (JsonObject) stream = service_look (f, id);

  return stream == NULL ? 0
                        : json_object_get_int_member_with_default (
                              stream, "worker_pid", 0);
}

static gboolean
has_state (gpointer user_data)
{
  ServiceRig *f = user_data;
  g_autoptr (JsonObject) stream = service_look (f, f->stream_id);

  return stream != NULL &&
         g_str_equal (
             json_object_get_string_member (stream, "state"), f->wanted);
}

void
service_wait_state (ServiceRig *f, const char *id, const char *state)
{
  g_autofree char *what = g_strdup_printf ("%s is %s", id, state);

  f->stream_id = id;
  f->wanted = state;
  rig_wait (&f->rig, what, has_state, f);
}

static gboolean
log_holds (gpointer user_data)
{
  ServiceRig *f = user_data;
  g_autofree char *log = program_log (f->service);

  return strstr (log, f->wanted) != NULL;
}

void
service_wait_log (ServiceRig *f, const char *text)
{
  f->wanted = text;
  rig_wait (&f->rig, text, log_holds, f);
}

gboolean
service_has_other_worker (gpointer user_data)
{
  ServiceRig *f = user_data;
  gint64 pid = service_pid_of (f, f->stream_id);

  return pid != 0 && pid != f->pid;
}

gboolean
service_worker_is_gone (gpointer user_data)
{
  return kill ((pid_t) ((ServiceRig *) user_data)->pid, 0) != 0;
}
