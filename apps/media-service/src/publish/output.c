/* SPDX-License-Identifier: Apache-2.0 */
#include "output_backend.h"

#include <dubbing_common/error.h>
#include <dubbing_common/log.h>

static const DubOutputBackend *const backends[] = {&dub_rtmp_backend};

struct _DubOutput {
  const DubOutputBackend *backend;
  gpointer instance;
};

void
dub_coded_item_clear (DubCodedItem *item)
{
  g_clear_pointer (&item->tag, dub_flv_tag_unref);
}

static gboolean
has_scheme (const DubOutputBackend *backend, const char *scheme)
{
  for (gsize i = 0; backend->schemes[i]; i++)
    if (g_ascii_strcasecmp (backend->schemes[i], scheme) == 0)
      return TRUE;
  return FALSE;
}

/* (transfer full) */
static char *
all_schemes (void)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (backends); i++)
    for (gsize k = 0; backends[i]->schemes[k]; k++)
      g_string_append_printf (
          text, "%s'%s://'", text->len ? ", " : "", backends[i]->schemes[k]);
  return g_string_free (text, FALSE);
}

static const DubOutputBackend *
find (const char *url, GError **error)
{
  g_autofree char *scheme = url ? g_uri_parse_scheme (url) : NULL;
  g_autofree char *shown = NULL;
  g_autofree char *schemes = NULL;

  if (!url || !*url) {
    g_set_error (
        error, DUB_ERROR, DUB_ERROR_INVALID, "the output URL cannot be empty");
    return NULL;
  }
  for (gsize i = 0; scheme && i < G_N_ELEMENTS (backends); i++)
    if (has_scheme (backends[i], scheme))
      return backends[i];
  shown = dub_redact_url (url);
  schemes = all_schemes ();
  g_set_error (error, DUB_ERROR, DUB_ERROR_UNSUPPORTED,
      "the output URL %s must start with one of %s", shown, schemes);
  return NULL;
}

gboolean
dub_output_check_url (const char *url, GError **error)
{
  return find (url, error) != NULL;
}

DubOutput *
dub_output_new (const DubOutputOptions *options, GBytes *sound_config,
    DubPublisherStateFunc on_state, gpointer user_data, GError **error)
{
  const DubOutputBackend *backend = find (options->url, error);
  DubOutput *self;
  gpointer instance;

  if (!backend)
    return NULL;
  instance =
      backend->create (options, sound_config, on_state, user_data, error);
  if (!instance)
    return NULL;
  self = g_new0 (DubOutput, 1);
  self->backend = backend;
  self->instance = instance;
  return self;
}

void
dub_output_free (DubOutput *self)
{
  if (!self)
    return;
  self->backend->destroy (self->instance);
  g_free (self);
}

void
dub_output_configure (
    DubOutput *self, DubVideoCodec codec, GBytes *codec_data, gint64 dts_ms)
{
  self->backend->configure (self->instance, codec, codec_data, dts_ms);
}

void
dub_output_push (DubOutput *self, DubCodedItem *item)
{
  self->backend->push (self->instance, item);
}

void
dub_output_finish (DubOutput *self, guint timeout_ms)
{
  self->backend->finish (self->instance, timeout_ms);
}

void
dub_output_get_stats (DubOutput *self, DubPublisherStats *ret_stats)
{
  self->backend->get_stats (self->instance, ret_stats);
}
