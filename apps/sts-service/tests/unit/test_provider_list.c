/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/provider_list.h"

#include <dubbing_common/error.h>
#include <string.h>

typedef struct {
  const char *name;
  gboolean is_there;
} Provider;

static const Provider one = {"one", FALSE}, two = {"two", TRUE},
                      three = {"three", TRUE}, mock = {"mock", TRUE};
static const Provider *const all[] = {&one, &two, &three, &mock, NULL};
static const Provider *const absent[] = {&one, &mock, NULL};

static gboolean
is_installed (gconstpointer provider, gconstpointer settings)
{
  return ((const Provider *) provider)->is_there;
}

static void
check (const Provider *const *providers, const char *names, const char *wanted)
{
  const DubProviderList list = {"ASR_PROVIDER",
      (gconstpointer const *) providers, is_installed, NULL, "own"};
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) found = dub_provider_list_parse (&list, names, &error);
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < found->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? " " : "",
        ((const Provider *) g_ptr_array_index (found, i))->name);
  g_assert_cmpstr (text->str, ==, wanted);
}

static void
test_lists (void)
{
  static const struct {
    const char *names, *wanted;
  } cases[] = {
      {"auto", "two three"},
      {"", "two three"},
      {NULL, "two three"},
      {"one", "one"},
      {"three,one", "three one"},
      {" three , two ", "three two"},
      {"two,two", "two"},
      {"mock", "mock"},
      {"own,three", "three"},
      {"own", "two three"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    check (all, cases[i].names, cases[i].wanted);
  /* What is missing tells why by itself; made-up words never stand in. */
  check (absent, "auto", "one");
}

static void
test_unknown (void)
{
  const DubProviderList list = {
      "ASR_PROVIDER", (gconstpointer const *) all, is_installed, NULL, NULL};
  static const char *const bad[] = {"four", "two,four", "two,", "own"};

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (dub_provider_list_parse (&list, bad[i], &error));
    g_assert_error (error, DUB_ERROR, DUB_ERROR_NOT_FOUND);
    g_assert_nonnull (strstr (error->message, "ASR_PROVIDER"));
    g_assert_nonnull (strstr (error->message, "one, two, three, mock"));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sts/provider-list/lists", test_lists);
  g_test_add_func ("/sts/provider-list/unknown", test_unknown);
  return g_test_run ();
}
