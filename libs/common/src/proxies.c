/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/proxies.h"

#include "dubbing_common/error.h"

#include <gio/gio.h>
#include <string.h>

struct _DubProxies {
  GPtrArray *masks; /* GInetAddressMask */
};

static gboolean
add_mask (DubProxies *self, const char *text, GError **error)
{
  GInetAddressMask *mask = g_inet_address_mask_new_from_string (text, NULL);

  if (mask == NULL || self->masks->len >= DUB_MAX_PROXIES) {
    g_set_error (error, DUB_ERROR, DUB_ERROR_INVALID,
        mask == NULL ? "'%.64s' is no address and no network"
                     : "from '%.64s' on there are too many proxies",
        text);
    g_clear_object (&mask);
    return FALSE;
  }
  g_ptr_array_add (self->masks, mask);
  return TRUE;
}

DubProxies *
dub_proxies_parse (const char *list, GError **error)
{
  g_auto (GStrv) words = g_strsplit (list != NULL ? list : "", ",", -1);
  g_autoptr (DubProxies) self = g_new0 (DubProxies, 1);

  self->masks = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; words[i] != NULL; i++) {
    const char *word = g_strstrip (words[i]);

    if (*word != '\0' && !add_mask (self, word, error))
      return NULL;
  }
  return g_steal_pointer (&self);
}

void
dub_proxies_free (DubProxies *proxies)
{
  if (proxies == NULL)
    return;
  g_ptr_array_unref (proxies->masks);
  g_free (proxies);
}

static gboolean
is_proxy (DubProxies *self, GInetAddress *address)
{
  for (guint i = 0; i < self->masks->len; i++)
    if (g_inet_address_mask_matches (
            g_ptr_array_index (self->masks, i), address))
      return TRUE;
  return FALSE;
}

/* "1.2.3.4", "1.2.3.4:5", "::1", "[::1]:5". (transfer full) (nullable) */
static GInetAddress *
parse_address (char *text)
{
  char *word = g_strstrip (text);
  char *colon = strchr (word, ':');

  if (word[0] == '[') {
    word++;
    word[strcspn (word, "]")] = '\0';
  } else if (colon != NULL && strchr (colon + 1, ':') == NULL) {
    *colon = '\0';
  }
  return g_inet_address_new_from_string (word);
}

/* From the end, the first address that is no proxy's; the last proxy's where
 * one has written what is no address. (transfer full) */
static GInetAddress *
find_client (DubProxies *self, GInetAddress *peer, const char *forwarded)
{
  g_auto (GStrv) words = g_strsplit (forwarded, ",", -1);
  g_autoptr (GInetAddress) client = g_object_ref (peer);

  for (guint i = g_strv_length (words); i > 0 && is_proxy (self, client); i--) {
    GInetAddress *address = parse_address (words[i - 1]);

    if (address == NULL)
      break;
    g_object_unref (client);
    client = address;
  }
  return g_steal_pointer (&client);
}

char *
dub_proxies_client (
    DubProxies *proxies, const char *peer, const char *forwarded)
{
  g_autoptr (GInetAddress) address =
      peer != NULL ? g_inet_address_new_from_string (peer) : NULL;
  g_autoptr (GInetAddress) client = NULL;

  if (proxies == NULL || address == NULL || forwarded == NULL ||
      strlen (forwarded) > DUB_MAX_FORWARDED)
    return g_strdup (peer != NULL ? peer : "");
  client = find_client (proxies, address, forwarded);
  return g_inet_address_to_string (client);
}
