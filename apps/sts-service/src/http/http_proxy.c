/* SPDX-License-Identifier: Apache-2.0 */
#include "http_proxy.h"

static const char *
find (char **environment, const char *small, const char *large)
{
  const char *value = g_environ_getenv (environment, small);

  if ((value == NULL || *value == '\0') && large != NULL)
    value = g_environ_getenv (environment, large);
  return value != NULL && *value != '\0' ? value : NULL;
}

static char **
not_by_proxy (char **environment)
{
  const char *listed = find (environment, "no_proxy", "NO_PROXY");
  g_auto (GStrv) hosts = g_strsplit (listed != NULL ? listed : "", ",", -1);
  g_autoptr (GStrvBuilder) all = g_strv_builder_new ();

  g_strv_builder_add_many (all, "localhost", "127.0.0.0/8", "::1", NULL);
  for (guint i = 0; hosts[i] != NULL; i++)
    if (*g_strstrip (hosts[i]) != '\0')
      g_strv_builder_add (all, hosts[i]);
  return g_strv_builder_end (all);
}

GProxyResolver *
dub_http_proxy_new (char **environment)
{
  const char *all = find (environment, "all_proxy", "ALL_PROXY");
  /* HTTP_PROXY is what a CGI's client may set, so it does not count. */
  const char *http = find (environment, "http_proxy", NULL);
  const char *https = find (environment, "https_proxy", "HTTPS_PROXY");
  g_auto (GStrv) direct = not_by_proxy (environment);
  GProxyResolver *resolver = NULL;

  if (all == NULL && http == NULL && https == NULL)
    return NULL;
  resolver = g_simple_proxy_resolver_new (all, direct);
  if (http != NULL)
    g_simple_proxy_resolver_set_uri_proxy (
        G_SIMPLE_PROXY_RESOLVER (resolver), "http", http);
  if (https != NULL)
    g_simple_proxy_resolver_set_uri_proxy (
        G_SIMPLE_PROXY_RESOLVER (resolver), "https", https);
  return resolver;
}
