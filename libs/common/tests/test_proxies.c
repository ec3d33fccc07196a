/* SPDX-License-Identifier: Apache-2.0 */
#include <dubbing_common/error.h>
#include <dubbing_common/proxies.h>
#include <string.h>

typedef struct {
  const char *proxies, *peer, *forwarded, *client;
} Case;

static const Case cases[] = {
    /* Nobody is named: the header is anyone's word. */
    {"", "10.0.0.1", "1.2.3.4", "10.0.0.1"},
    {NULL, "127.0.0.1", "1.2.3.4", "127.0.0.1"},
    {"127.0.0.1", "10.0.0.1", "1.2.3.4", "10.0.0.1"},
    /* A proxy's, and a row of them. */
    {"127.0.0.1", "127.0.0.1", "1.2.3.4", "1.2.3.4"},
    {"127.0.0.1", "127.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"},
    {"127.0.0.1,10.0.0.0/8", "127.0.0.1", "6.6.6.6, 1.2.3.4 , 10.1.2.3",
        "1.2.3.4"},
    {"127.0.0.1, 10.0.0.0/8", "127.0.0.1", "10.9.9.9, 10.1.2.3", "10.9.9.9"},
    {"::1", "::1", "2001:DB8::7", "2001:db8::7"},
    {"::1", "::1", "[2001:db8::7]:443", "2001:db8::7"},
    {"127.0.0.1", "127.0.0.1", "1.2.3.4:5678", "1.2.3.4"},
    /* It said nothing, or nothing that can be read. */
    {"127.0.0.1", "127.0.0.1", NULL, "127.0.0.1"},
    {"127.0.0.1", "127.0.0.1", "", "127.0.0.1"},
    {"127.0.0.1", "127.0.0.1", "1.2.3.4, unknown", "127.0.0.1"},
    {"127.0.0.1", "127.0.0.1", "1.2.3.4,,", "127.0.0.1"},
    {"127.0.0.1", NULL, "1.2.3.4", ""},
    {"127.0.0.1", "no address", "1.2.3.4", "no address"},
};

static void
test_client (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (DubProxies) proxies = dub_proxies_parse (cases[i].proxies, NULL);
    g_autofree char *client =
        dub_proxies_client (proxies, cases[i].peer, cases[i].forwarded);

    g_test_message ("case %" G_GSIZE_FORMAT, i);
    g_assert_cmpstr (client, ==, cases[i].client);
  }
}

static void
test_long_header (void)
{
  g_autoptr (DubProxies) proxies = dub_proxies_parse ("127.0.0.1", NULL);
  g_autofree char *spaces = g_strnfill (DUB_MAX_FORWARDED, ' ');
  g_autofree char *header = g_strconcat (spaces, "1.2.3.4", NULL);
  g_autofree char *client = dub_proxies_client (proxies, "127.0.0.1", header);

  g_assert_cmpstr (client, ==, "127.0.0.1");
}

static void
test_wrong_list (void)
{
  static const char *const lists[] = {
      "proxy.example", "10.0.0.0/99", "127.0.0.1 10.0.0.1", "10.0.0.1/8"};
  g_autoptr (GString) many = g_string_new ("127.0.0.1");
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++) {
    g_assert_null (dub_proxies_parse (lists[i], &error));
    g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, lists[i]));
    g_clear_error (&error);
  }
  for (guint i = 0; i < DUB_MAX_PROXIES; i++)
    g_string_append (many, ",127.0.0.1");
  g_assert_null (dub_proxies_parse (many->str, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/proxies/client", test_client);
  g_test_add_func ("/common/proxies/long-header", test_long_header);
  g_test_add_func ("/common/proxies/wrong-list", test_wrong_list);
  return g_test_run ();
}
