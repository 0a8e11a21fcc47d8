/* SPDX-License-Identifier: Apache-2.0 */
/* What a JVM that ptarmigand has started is, holds, and can do; told by itself. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon_rig.h"

#define SHORT_RUN "--options", "vcpus=1,seconds=0.2"
#define NOBODY "65534\t65534\t65534\t65534"
#define NO_CAPABILITIES "0000000000000000"

static void run(struct daemon_rig *rig, uid_t user) {
  const char *const arguments[] = {SHORT_RUN, "--", rig->command, NULL};
  int status = daemon_wait(daemon_start(rig, user, arguments));
  if (status != 0)
    fail_msg("status %d: %s", status, daemon_text(rig, "err"));
}

static void assert_told(struct daemon_rig *rig, const char *name, const char *expected) {
  const char *value = daemon_line(rig, "out", name);
  assert_non_null(value);
  assert_string_equal(value + strspn(value, " \t"), expected);
}

static void need_root(void) {
  if (geteuid() != 0)
    skip();
}

static void under_root_the_jvm_is_another_user_without_groups_or_capabilities(void **state) {
  need_root();
  run(*state, 0);
  assert_told(*state, "Uid:", NOBODY);
  assert_told(*state, "Gid:", NOBODY);
  assert_told(*state, "Groups:", "");
  assert_told(*state, "CapInh:", NO_CAPABILITIES);
  assert_told(*state, "CapPrm:", NO_CAPABILITIES);
  assert_told(*state, "CapEff:", NO_CAPABILITIES);
  assert_told(*state, "CapAmb:", NO_CAPABILITIES);
  assert_told(*state, "root ", "never");
  assert_told(*state, "NoNewPrivs:", "1");
}

static void under_another_user_the_jvm_is_the_same_and_gains_nothing(void **state) {
  need_root(); /* to become that user first */
  run(*state, ORDINARY_UID);
  assert_told(*state, "Uid:", "1\t1\t1\t1");
  assert_told(*state, "CapEff:", NO_CAPABILITIES);
  assert_told(*state, "NoNewPrivs:", "1");
}

static void whoever_runs_it_the_jvm_gains_nothing(void **state) {
  run(*state, geteuid());
  assert_told(*state, "NoNewPrivs:", "1");
  assert_told(*state, "session ", "own");
  assert_told(*state, "umask ", "077");
  assert_told(*state, "core ", "0");
  assert_told(*state, "stream ", "read-only");
}

static unsigned count(const char *text, const char *what) {
  unsigned found = 0;
  for (; (text = strstr(text, what)); text += strlen(what))
    found++;
  return found;
}

static void the_jvm_inherits_its_channel_and_nothing_else(void **state) {
  struct daemon_rig *rig = *state;
  int stray = fcntl(open("/etc/passwd", O_RDONLY | O_CLOEXEC), F_DUPFD, 40); /* ptarmigand inherits it */
  assert_true(stray >= 40);
  run(rig, geteuid());
  close(stray);
  assert_told(rig, "fd 0 ", "/dev/null");
  assert_non_null(daemon_line(rig, "out", "fd 1 "));
  assert_non_null(daemon_line(rig, "out", "fd 2 "));
  assert_told(rig, "fd 3 ", "/memfd:ptarmigan-stream (deleted)");
  assert_told(rig, "fd 4 ", "/memfd:ptarmigan-decisions (deleted)");
  assert_told(rig, "fd 5 ", "anon_inode:[eventfd]");
  assert_told(rig, "fd 6 ", "/memfd:ptarmigan-notebook (deleted)");
  assert_int_equal(count(daemon_text(rig, "out"), "\nfd "), 7);
}

static void the_jvms_environment_holds_what_it_needs(void **state) {
  struct daemon_rig *rig = *state;
  setenv("LD_LIBRARY_PATH", "/nowhere", 1);
  setenv("SECRET", "1", 1);
  setenv("PATHS", "1", 1);
  setenv("PTARMIGAN_ANYTHING", "kept", 1);
  run(rig, geteuid());
  unsetenv("LD_LIBRARY_PATH");
  assert_null(daemon_line(rig, "out", "env LD_LIBRARY_PATH"));
  assert_null(daemon_line(rig, "out", "env SECRET"));
  assert_null(daemon_line(rig, "out", "env PATHS"));
  assert_told(rig, "env PTARMIGAN_ANYTHING=", "kept");
  assert_told(rig, "env PATH=", getenv("PATH"));
  assert_told(rig, "env PTARMIGAN_GENERATION=", "1");
  if (geteuid() == 0)
    assert_told(rig, "env HOME=", "/nonexistent");
}

static void refused(struct daemon_rig *rig, uid_t user, const char *name, const char *why) {
  const char *const arguments[] = {SHORT_RUN, "--jvm-user", name, "--", rig->command, NULL};
  assert_int_equal(daemon_wait(daemon_start(rig, user, arguments)), EXIT_FAILURE);
  assert_non_null(strstr(daemon_text(rig, "err"), why));
  assert_string_equal(daemon_text(rig, "out"), "");
}

static void another_user_can_be_named_but_not_root(void **state) {
  need_root();
  struct daemon_rig *rig = *state;
  const char *const arguments[] = {SHORT_RUN, "--jvm-user", "daemon", "--", rig->command, NULL};
  assert_int_equal(daemon_wait(daemon_start(rig, 0, arguments)), 0);
  assert_told(rig, "Uid:", "1\t1\t1\t1");
  refused(rig, 0, "root", "must not be root");
  refused(rig, 0, "no-such-user", "no such user");
  refused(rig, ORDINARY_UID, "nobody", "only root");
}

/* As a jar in root's home directory is. */
static void a_file_that_the_jvms_user_may_not_read_is_named(void **state) {
  need_root();
  struct daemon_rig *rig = *state;
  char hidden[96], path[192], all[128];
  snprintf(hidden, sizeof hidden, "%s/hidden", rig->dir);
  snprintf(path, sizeof path, "x:%s/some.jar", hidden);
  snprintf(all, sizeof all, "%s/*", hidden);
  assert_int_equal(mkdir(hidden, 0700), 0);
  const char *const arguments[] = {SHORT_RUN, "--", rig->command, "-cp", path, NULL};
  const char *const directory[] = {SHORT_RUN, "--", rig->command, "-cp", all, NULL};
  assert_int_equal(daemon_wait(daemon_start(rig, 0, arguments)), 127);
  assert_non_null(strstr(daemon_text(rig, "err"), "its user nobody may not read"));
  assert_non_null(strstr(daemon_text(rig, "err"), path + 2));
  assert_non_null(strstr(daemon_text(rig, "err"), "--jvm-user"));
  assert_int_equal(chmod(hidden, 0711), 0);
  assert_int_equal(daemon_wait(daemon_start(rig, 0, directory)), 127);
  assert_int_equal(chmod(hidden, 0755), 0);
  assert_int_equal(daemon_wait(daemon_start(rig, 0, directory)), 0);
  assert_int_equal(close(open(path + 2, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
  assert_int_equal(daemon_wait(daemon_start(rig, 0, directory)), 127);
  assert_non_null(strstr(daemon_text(rig, "err"), path + 2));
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, daemon_rig_up, daemon_rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(under_root_the_jvm_is_another_user_without_groups_or_capabilities),
      WITH_RIG(under_another_user_the_jvm_is_the_same_and_gains_nothing),
      WITH_RIG(whoever_runs_it_the_jvm_gains_nothing),
      WITH_RIG(the_jvm_inherits_its_channel_and_nothing_else),
      WITH_RIG(the_jvms_environment_holds_what_it_needs),
      WITH_RIG(another_user_can_be_named_but_not_root),
      WITH_RIG(a_file_that_the_jvms_user_may_not_read_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
