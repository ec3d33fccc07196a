/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrator/state_file.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
  char *folder;
} Fixture;

static void
setup (Fixture *f, gconstpointer data)
{
  f->folder = g_dir_make_tmp ("dub-state-XXXXXX", NULL);
  g_assert_nonnull (f->folder);
}

static void
teardown (Fixture *f, gconstpointer data)
{
  g_autoptr (GDir) directory = g_dir_open (f->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *path = g_build_filename (f->folder, name, NULL);

    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  g_free (f->folder);
}

static void
save (Fixture *f, const char *id, const char *key)
{
  g_autoptr (JsonObject) state = json_object_new ();

  json_object_set_string_member (state, "key", key);
  dub_state_file_save (f->folder, id, state);
}

static void
assert_loads (Fixture *f, const char *id, const char *key)
{
  g_autoptr (JsonObject) state = dub_state_file_load (f->folder, id);

  g_assert_nonnull (state);
  g_assert_cmpstr (json_object_get_string_member (state, "key"), ==, key);
}

static void
test_replaces_whole (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "a.json", NULL);
  g_autoptr (GPtrArray) ids = NULL;
  GStatBuf info;

  save (f, "a", "a long one, of which nothing may be left");
  g_assert_cmpint (g_stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0600);
  save (f, "a", "short");
  assert_loads (f, "a", "short");
  ids = dub_state_file_find (f->folder, ".json");
  g_assert_cmpuint (ids->len, ==, 1);
  g_assert_cmpstr (ids->pdata[0], ==, "a");
  dub_state_file_remove (f->folder, "a");
  g_assert_null (dub_state_file_load (f->folder, "a"));
}

/* The machine may have stopped in the middle of it. */
static void
test_half_a_save (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "a.json.new", NULL);
  g_autoptr (GPtrArray) ids = NULL;

  save (f, "a", "old");
  g_assert_true (g_file_set_contents (path, "{\"key\":", -1, NULL));
  assert_loads (f, "a", "old");
  ids = dub_state_file_find (f->folder, ".json");
  g_assert_cmpuint (ids->len, ==, 1);
  save (f, "a", "new");
  assert_loads (f, "a", "new");
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_same_is_not_written (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "a.json", NULL);
  GStatBuf before, after;

  save (f, "a", "x");
  g_assert_cmpint (g_stat (path, &before), ==, 0);
  save (f, "a", "x");
  g_assert_cmpint (g_stat (path, &after), ==, 0);
  g_assert_cmpuint (before.st_ino, ==, after.st_ino);
}

static void
test_cannot_be_written (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "a.json.new", NULL);

  save (f, "a", "old");
  g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
  save (f, "a", "new");
  assert_loads (f, "a", "old");
}

static void
test_none_of_ours (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "a.json", NULL);
  g_autofree char *large = g_strnfill (DUB_STATE_MAX_BYTES + 1, ' ');

  g_assert_null (dub_state_file_load (f->folder, "a"));
  g_assert_true (g_file_set_contents (path, "[1]", -1, NULL));
  g_assert_null (dub_state_file_load (f->folder, "a"));
  memcpy (large, "{}", 2);
  g_assert_true (g_file_set_contents (path, large, -1, NULL));
  g_assert_null (dub_state_file_load (f->folder, "a"));
}

#define ADD(name, function)                                                    \
  g_test_add (                                                                 \
      "/media/state-file/" name, Fixture, NULL, setup, function, teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("replaces-whole", test_replaces_whole);
  ADD ("half-a-save", test_half_a_save);
  ADD ("same-is-not-written", test_same_is_not_written);
  ADD ("cannot-be-written", test_cannot_be_written);
  ADD ("none-of-ours", test_none_of_ours);
  return g_test_run ();
}
