/* SPDX-License-Identifier: Apache-2.0 */
#include "dubbing_common/secret.h"

#include <string.h>

gboolean
dub_secret_equal (const char *given, const char *secret)
{
  gsize n, m;
  /* The compiler must not see that the end is known before the last letter. */
  volatile guchar difference = 0;

  if (given == NULL || secret == NULL || *secret == '\0')
    return FALSE;
  n = strlen (given);
  m = strlen (secret);
  difference |= n != m;
  for (gsize i = 0; i < n; i++)
    difference |= (guchar) (given[i] ^ secret[i % m]);
  return difference == 0;
}

gboolean
dub_secret_is_bearer (const char *header, const char *secret)
{
  static const char scheme[] = "Bearer ";
  gsize length = sizeof scheme - 1;

  if (header == NULL || g_ascii_strncasecmp (header, scheme, length) != 0)
    return FALSE;
  return dub_secret_equal (header + length, secret);
}
