/* SPDX-License-Identifier: Apache-2.0 */
/* One watcher per domain, in a directory that nobody else reads. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "run_dir.h"

struct place {
  char parent[64];
  char base[80];
};

static int make_place(void **state) {
  struct place *place = calloc(1, sizeof *place);
  strcpy(place->parent, "/tmp/ptarmigan-run-dir.XXXXXX");
  if (!mkdtemp(place->parent))
    return -1;
  snprintf(place->base, sizeof place->base, "%s/base", place->parent);
  *state = place;
  return 0;
}

static int drop_place(void **state) {
  struct place *place = *state;
  char command[96];
  snprintf(command, sizeof command, "rm -rf '%s'", place->parent);
  free(place);
  return system(command);
}

static unsigned mode_of(const char *base, const char *name) {
  char path[PATH_MAX];
  struct stat status;
  snprintf(path, sizeof path, "%s/%s", base, name);
  assert_int_equal(stat(path, &status), 0);
  return status.st_mode & 0777;
}

static void files_are_private(void **state) {
  struct place *place = *state;
  struct run_dir dir;
  const char *message = NULL;
  umask(0);
  assert_int_equal(run_dir_open(place->base, "guest", &dir, &message), 0);
  assert_int_equal(mode_of(place->base, "."), 0700);
  assert_int_equal(mode_of(place->base, "guest"), 0700);
  assert_int_equal(mode_of(place->base, "guest/lock"), 0600);
  assert_true(fcntl(dir.lock_fd, F_GETFD) & FD_CLOEXEC);
  run_dir_close(&dir);
}

static void a_second_watcher_is_refused(void **state) {
  struct place *place = *state;
  struct run_dir dir, second, other;
  const char *message = NULL;
  assert_int_equal(run_dir_holder(place->base, "guest"), -ESRCH);
  assert_int_equal(run_dir_open(place->base, "guest", &dir, &message), 0);
  assert_int_equal(run_dir_open(place->base, "guest", &second, &message), -EBUSY);
  assert_string_equal(message, "another ptarmigand watches this domain");
  assert_int_equal(run_dir_holder(place->base, "guest"), getpid());
  assert_int_equal(run_dir_open(place->base, "other", &other, &message), 0);
  run_dir_close(&other);
  run_dir_close(&dir);
  assert_int_equal(run_dir_holder(place->base, "guest"), -ESRCH);
  assert_int_equal(run_dir_open(place->base, "guest", &dir, &message), 0);
  run_dir_close(&dir);
}

static void the_lock_ends_with_its_holder(void **state) {
  struct place *place = *state;
  struct run_dir dir;
  const char *message = NULL;
  int status;
  pid_t child = fork();
  if (child == 0) {
    _exit(run_dir_open(place->base, "guest", &dir, &message) == 0 ? 0 : 1);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(run_dir_open(place->base, "guest", &dir, &message), 0);
  run_dir_close(&dir);
}

static void strange_names_are_refused(void **state) {
  struct place *place = *state;
  static const char *const names[] = {"", ".", "..", "../x", "a/b", "a b", ".hidden", "a\n"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    struct run_dir dir;
    const char *message = NULL;
    assert_int_equal(run_dir_open(place->base, names[i], &dir, &message), -EINVAL);
    assert_non_null(message);
  }
}

static void a_directory_open_to_others_is_refused(void **state) {
  struct place *place = *state;
  struct run_dir dir;
  const char *message = NULL;
  assert_int_equal(mkdir(place->base, 0700), 0);
  assert_int_equal(chmod(place->base, 0755), 0);
  assert_int_equal(run_dir_open(place->base, "guest", &dir, &message), -EPERM);
  assert_non_null(message);
  assert_int_equal(rmdir(place->base), 0);
  assert_int_equal(symlink("/tmp", place->base), 0);
  assert_int_equal(run_dir_open(place->base, "guest", &dir, &message), -EPERM);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(files_are_private, make_place, drop_place),
      cmocka_unit_test_setup_teardown(a_second_watcher_is_refused, make_place, drop_place),
      cmocka_unit_test_setup_teardown(the_lock_ends_with_its_holder, make_place, drop_place),
      cmocka_unit_test_setup_teardown(strange_names_are_refused, make_place, drop_place),
      cmocka_unit_test_setup_teardown(a_directory_open_to_others_is_refused, make_place, drop_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
