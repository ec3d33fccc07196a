/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/base64.h"
#include "dubbing_common/error.h"

#include <string.h>

typedef struct {
  const char *text;
  gsize max_bytes;
  int code;          /* 0: decodes */
  const char *bytes; /* what comes out */
} Case;

/* RFC 4648 section 10, then what must not pass. */
static const Case cases[] = {
    {"", 10, 0, ""},
    {"Zg==", 10, 0, "f"},
    {"Zm8=", 10, 0, "fo"},
    {"Zm9v", 10, 0, "foo"},
    {"Zm9vYg==", 10, 0, "foob"},
    {"Zm9vYmE=", 10, 0, "fooba"},
    {"Zm9vYmFy", 10, 0, "foobar"},
    {" Zm9v\r\nYm\tFy \n", 10, 0, "foobar"},
    {"Zg = =", 10, 0, "f"},
    {"Zm9v", 3, 0, "foo"},
    {"Zm9v", 2, DUB_ERROR_LIMIT, NULL},
    {"Zm9vYg==", 3, DUB_ERROR_LIMIT, NULL},
    {"", 0, 0, ""},
    {"Zg==", 0, DUB_ERROR_LIMIT, NULL},
    {"Zg", 10, DUB_ERROR_INVALID, NULL},
    {"Zg=", 10, DUB_ERROR_INVALID, NULL},
    {"Zg===", 10, DUB_ERROR_INVALID, NULL},
    {"Z===", 10, DUB_ERROR_INVALID, NULL},
    {"====", 10, DUB_ERROR_INVALID, NULL},
    {"Zg==Zg==", 10, DUB_ERROR_INVALID, NULL},
    {"Zm9=", 10, DUB_ERROR_INVALID, NULL}, /* bits left over */
    {"Zh==", 10, DUB_ERROR_INVALID, NULL},
    {"Zm9-", 10, DUB_ERROR_INVALID, NULL}, /* the URL alphabet */
    {"Zm9_", 10, DUB_ERROR_INVALID, NULL},
    {"Zm\xc3\xa9v", 10, DUB_ERROR_INVALID, NULL},
};

static void
test_decode (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  bytes = dub_base64_decode (c->text, -1, c->max_bytes, &error);
  if (c->code != 0) {
    g_assert_null (bytes);
    g_assert_error (error, DUB_ERROR, c->code);
    return;
  }
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
      c->bytes, strlen (c->bytes));
}

static void
test_length (void)
{
  g_autoptr (GBytes) bytes = dub_base64_decode ("Zm9vYmFy", 4, 10, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpmem (
      g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "foo", 3);
  /* A NUL inside of the given length is a character like another. */
  g_assert_null (dub_base64_decode ("Zm\0v", 4, 10, &error));
  g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "position 2"));
}

static void
test_round_trip (void)
{
  for (gsize size = 0; size < 300; size++) {
    g_autofree guint8 *data = g_malloc (size + 1);
    g_autoptr (GBytes) bytes = NULL;
    g_autoptr (GBytes) back = NULL;
    g_autofree char *text = NULL;

    for (gsize i = 0; i < size; i++)
      data[i] = (guint8) g_test_rand_int ();
    bytes = g_bytes_new (data, size);
    text = dub_base64_encode (bytes);
    g_assert_cmpuint (strlen (text), ==, (size + 2) / 3 * 4);
    back = dub_base64_decode (text, -1, size, NULL);
    g_assert_nonnull (back);
    g_assert_true (g_bytes_equal (bytes, back));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/common/base64/decode/%" G_GSIZE_FORMAT, i);

    g_test_add_data_func (path, &cases[i], test_decode);
  }
  g_test_add_func ("/common/base64/length", test_length);
  g_test_add_func ("/common/base64/round-trip", test_round_trip);
  return g_test_run ();
}
