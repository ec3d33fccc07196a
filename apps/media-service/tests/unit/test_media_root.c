/* SPDX-License-Identifier: Apache-2.0 */
#include "api/media_root.h"

#include <dubbing_common/error.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/*
 * A folder as it might be:
 *
 *   media/clip.mp4  media/a folder/clip.mp4
 *   media/inside -> clip.mp4         media/outside -> ../secret
 *   media/up -> ..                   media-2/clip.mp4    secret
 *   link -> media
 */
typedef struct {
  char *base;
} Fixture;

static void
write_file (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->base, name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, "x", 1, NULL));
}

static void
write_link (Fixture *f, const char *target, const char *name)
{
  g_autofree char *path = g_build_filename (f->base, name, NULL);

  g_assert_cmpint (symlink (target, path), ==, 0);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->base = g_dir_make_tmp ("dub-root-XXXXXX", NULL);
  write_file (f, "media/clip.mp4");
  write_file (f, "media/a folder/clip.mp4");
  write_file (f, "media-2/clip.mp4");
  write_file (f, "secret");
  write_link (f, "clip.mp4", "media/inside");
  write_link (f, "../secret", "media/outside");
  write_link (f, "..", "media/up");
  write_link (f, "media", "link");
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  static const char *const names[] = {"link", "media/up", "media/outside",
      "media/inside", "secret", "media-2/clip.mp4", "media-2",
      "media/a folder/clip.mp4", "media/a folder", "media/clip.mp4", "media",
      ""};

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (f->base, names[i], NULL);

    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_free (f->base);
}

typedef struct {
  const char *root, *url; /* behind the folder */
  const char *found;      /* likewise; NULL: refused */
} Case;

static const Case cases[] = {
    {"media", "media/clip.mp4", "media/clip.mp4"},
    {"media/", "media/clip.mp4", "media/clip.mp4"},
    {"link", "media/clip.mp4", "media/clip.mp4"},
    {"media", "link/clip.mp4", "media/clip.mp4"},
    {"media", "media/inside", "media/clip.mp4"},
    {"media", "media/a%20folder/clip.mp4", "media/a%20folder/clip.mp4"},
    {"media", "media/../media/clip.mp4", "media/clip.mp4"},
    {"media", "media/outside", NULL},
    {"media", "media/up/secret", NULL},
    {"media", "media/../secret", NULL},
    {"media", "media/%2e%2e/secret", NULL},
    {"media", "media/..%2fsecret", NULL},
    {"media", "media/clip.mp4%00", NULL},
    {"media", "media-2/clip.mp4", NULL},
    {"media", "secret", NULL},
    {"media", "media", NULL},
    {"media", "media/a%20folder", NULL},
    {"media", "media/none", NULL},
    {"none", "media/clip.mp4", NULL},
};

static void
test_cases (Fixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    const Case *c = &cases[i];
    g_autofree char *root = g_build_filename (f->base, c->root, NULL);
    g_autofree char *url = g_strconcat ("file://", f->base, "/", c->url, NULL);
    g_autofree char *wanted =
        c->found == NULL
            ? NULL
            : g_strconcat ("file://", f->base, "/", c->found, NULL);
    g_autofree char *found = NULL;
    g_autoptr (GError) error = NULL;

    /* As the root may be named by a link that ends in a slash. */
    if (g_str_has_suffix (c->root, "/")) {
      g_free (root);
      root = g_strconcat (f->base, "/", c->root, NULL);
    }
    found = dub_media_root_resolve (root, url, &error);
    g_assert_cmpstr (found, ==, wanted);
    if (wanted == NULL) {
      g_assert_error (error, DUB_ERROR, DUB_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, "MEDIA_ROOT"));
      g_assert_null (strstr (error->message, f->base));
    }
  }
}

static void
test_no_root (Fixture *f, gconstpointer data)
{
  g_autofree char *url = g_strconcat ("file://", f->base, "/secret", NULL);
  g_autofree char *host =
      g_strconcat ("file://other", f->base, "/media/clip.mp4", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (dub_media_root_resolve (NULL, url, &error));
  g_assert_nonnull (strstr (error->message, "MEDIA_ROOT"));
  g_assert_null (dub_media_root_resolve (f->base, host, NULL));
  g_assert_null (dub_media_root_resolve (f->base, "file:nonsense", NULL));
  g_assert_true (dub_media_root_is_file ("FILE:///a"));
  g_assert_false (dub_media_root_is_file ("rtmp://file:1/a"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add (
      "/media/media-root/cases", Fixture, NULL, set_up, test_cases, tear_down);
  g_test_add ("/media/media-root/no-root", Fixture, NULL, set_up, test_no_root,
      tear_down);
  return g_test_run ();
}
