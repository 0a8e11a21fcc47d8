/* SPDX-License-Identifier: Apache-2.0 */
/* How ptarmigand, its launcher, the JVM and a second ptarmigand live and die together; what they leave on disk. */
#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine.h"
#include "daemon_rig.h"

#define LAUNCHER "ptarmigan-start"
#define END_US 5000000

struct family {
  pid_t daemon, launcher, jvm;
};

static struct family start_family(struct daemon_rig *rig, const char *mode) {
  const char *const arguments[] = {"--options", "vcpus=1,seconds=20", "--", rig->command, mode, NULL};
  struct family family = {.daemon = daemon_start(rig, geteuid(), arguments)};
  daemon_await(rig, "out", "generation 1");
  family.launcher = child_named(family.daemon, LAUNCHER);
  family.jvm = child_named(family.launcher, "jvm_stub");
  return family;
}

static void assert_gone(pid_t pid) {
  const char *state;
  for (unsigned waited = 0; (state = process_status(pid, "State")) && state[0] != 'Z'; waited += 5000) {
    assert_true(waited < END_US);
    usleep(5000);
  }
}

static void when_ptarmigand_is_killed_launcher_and_jvm_go_too(void **state) {
  struct family family = start_family(*state, "stubborn");
  process_signal(family.daemon, SIGKILL);
  assert_int_equal(daemon_wait(family.daemon), 128 + SIGKILL);
  assert_gone(family.jvm);
  assert_gone(family.launcher);
}

static void when_the_launcher_is_killed_the_jvm_goes_too_and_the_run_ends_in_order(void **state) {
  struct family family = start_family(*state, "");
  process_signal(family.launcher, SIGKILL);
  assert_gone(family.jvm);
  daemon_await(*state, "err", "ptarmigand: the JVM has ended");
  process_signal(family.daemon, SIGTERM);
  daemon_wait(family.daemon);
}

static void a_terminals_interrupt_reaches_ptarmigand_only(void **state) {
  struct family family = start_family(*state, "");
  process_signal(family.launcher, SIGINT); /* as a whole process group gets it */
  process_signal(family.launcher, SIGTERM);
  assert_true(getsid(family.launcher) == family.launcher);
  assert_true(getsid(family.jvm) == family.jvm);
  process_signal(family.daemon, SIGINT);
  assert_int_equal(daemon_wait(family.daemon), 0);
  assert_gone(family.jvm);
}

/* Owned by root: nobody but root may look into them or trace them. */
static void assert_closed_to_its_own_user(pid_t pid) {
  char path[64];
  struct stat status;
  snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
  assert_int_equal(stat(path, &status), 0);
  assert_int_equal(status.st_uid, 0);
}

static void a_jvm_of_the_same_user_can_neither_trace_nor_read_the_others(void **state) {
  struct daemon_rig *rig = *state;
  const char *const arguments[] = {"--options", "vcpus=1,seconds=20", "--", rig->command, NULL};
  uid_t user = geteuid() == 0 ? ORDINARY_UID : geteuid();
  pid_t daemon = daemon_start(rig, user, arguments);
  daemon_await(rig, "out", "generation 1");
  assert_closed_to_its_own_user(daemon);
  assert_closed_to_its_own_user(child_named(daemon, LAUNCHER));
  process_signal(daemon, SIGTERM);
  assert_int_equal(daemon_wait(daemon), 0);
}

static void the_launcher_holds_its_socket_and_nothing_else(void **state) {
  if (geteuid() != 0)
    skip(); /* nobody else may look */
  struct family family = start_family(*state, "");
  char path[64];
  unsigned others = 0;
  snprintf(path, sizeof path, "/proc/%d/fd", (int)family.launcher);
  DIR *dir = opendir(path);
  assert_non_null(dir);
  for (struct dirent *entry; (entry = readdir(dir));) {
    char target[256] = "";
    if (entry->d_name[0] == '.' || atoi(entry->d_name) <= STDERR_FILENO)
      continue;
    assert_true(readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1) > 0);
    if (strncmp(target, "socket:", 7) != 0 && strcmp(target, "anon_inode:[pidfd]") != 0)
      fail_msg("the launcher holds %s", target);
    others++;
  }
  closedir(dir);
  assert_int_equal(others, 2);
  process_signal(family.daemon, SIGTERM);
  assert_int_equal(daemon_wait(family.daemon), 0);
}

static void ptarmigand_is_confined_once_it_runs(void **state) {
  struct family family = start_family(*state, "");
  assert_string_equal(process_status(family.daemon, "NoNewPrivs"), "1");
  assert_string_equal(process_status(family.launcher, "NoNewPrivs"), "1");
  if (confine_supported())
    assert_string_equal(process_status(family.daemon, "Seccomp"), "2");
  process_signal(family.daemon, SIGTERM);
  assert_int_equal(daemon_wait(family.daemon), 0);
}

static void assert_nothing_refused(struct daemon_rig *rig) {
  const char *trace = daemon_text(rig, "trace");
  const char *filter = strstr(trace, "SECCOMP_FILTER_FLAG_LOG");
  assert_non_null(filter);
  const char *refused = strstr(filter, "EPERM");
  if (refused)
    fail_msg("refused: %.200s", refused > filter + 100 ? refused - 100 : filter);
}

/* One JVM dies, the next sees the end. */
static pid_t start_mortal(struct daemon_rig *rig) {
  const char *const arguments[] = {"--options", "vcpus=1,seconds=60", "--", rig->command, "mortal", NULL};
  pid_t pid = daemon_start(rig, geteuid(), arguments);
  daemon_await(rig, "out", "generation 1");
  daemon_await(rig, "out", "generation 2");
  return pid;
}

static void no_call_of_a_run_is_refused_by_the_filter(void **state) {
  struct daemon_rig *rig = *state;
  if (!confine_supported())
    skip();
  rig->traced = true;
  pid_t strace = start_mortal(rig);
  process_signal(child_named(strace, "ptarmigand"), SIGTERM);
  assert_int_equal(daemon_wait(strace), 0);
  assert_nothing_refused(rig);
}

static void a_jvm_that_dies_is_replaced_by_the_launcher(void **state) {
  pid_t daemon = start_mortal(*state);
  process_signal(daemon, SIGTERM);
  assert_int_equal(daemon_wait(daemon), 0);
}

static void a_second_ptarmigand_on_the_domain_is_refused(void **state) {
  struct daemon_rig *rig = *state;
  const char *const arguments[] = {"--options", "vcpus=1,seconds=1", NULL};
  const char *const other[] = {"--domain", "other", "--options", "vcpus=1,seconds=0.1", NULL};
  struct family family = start_family(rig, "");
  assert_int_equal(daemon_wait(daemon_start(rig, geteuid(), arguments)), EXIT_FAILURE);
  assert_string_equal(daemon_text(rig, "err"),
                      "ptarmigand: cannot watch sandbox: another ptarmigand watches this domain\n");
  assert_int_equal(daemon_wait(daemon_start(rig, geteuid(), other)), 0);
  assert_non_null(process_status(family.daemon, "State"));
  process_signal(family.daemon, SIGTERM);
  assert_int_equal(daemon_wait(family.daemon), 0);
  assert_int_equal(daemon_wait(daemon_start(rig, geteuid(), arguments)), 0);
}

static unsigned directories, files;

static int look(const char *path, const struct stat *status, int kind, struct FTW *unused) {
  (void)unused;
  unsigned expected = kind == FTW_D ? 0700 : 0600;
  if ((status->st_mode & 07777) != expected || status->st_uid != geteuid())
    fail_msg("%s has mode %o of user %u", path, status->st_mode & 07777, status->st_uid);
  *(kind == FTW_D ? &directories : &files) += 1;
  return 0;
}

static void all_files_are_private(void **state) {
  struct daemon_rig *rig = *state;
  char path[96];
  snprintf(path, sizeof path, "%s/run", rig->dir);
  mode_t before = umask(0);
  struct family family = start_family(rig, "");
  umask(before);
  directories = files = 0;
  assert_int_equal(nftw(path, look, 8, FTW_PHYS), 0);
  assert_int_equal(directories, 2); /* base and domain */
  assert_true(files >= 1);          /* the lock */
  process_signal(family.daemon, SIGTERM);
  assert_int_equal(daemon_wait(family.daemon), 0);
  assert_int_equal(nftw(path, look, 8, FTW_PHYS), 0);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, daemon_rig_up, daemon_rig_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      WITH_RIG(when_ptarmigand_is_killed_launcher_and_jvm_go_too),
      WITH_RIG(when_the_launcher_is_killed_the_jvm_goes_too_and_the_run_ends_in_order),
      WITH_RIG(a_terminals_interrupt_reaches_ptarmigand_only),
      WITH_RIG(a_jvm_of_the_same_user_can_neither_trace_nor_read_the_others),
      WITH_RIG(the_launcher_holds_its_socket_and_nothing_else),
      WITH_RIG(ptarmigand_is_confined_once_it_runs),
      WITH_RIG(no_call_of_a_run_is_refused_by_the_filter),
      WITH_RIG(a_jvm_that_dies_is_replaced_by_the_launcher),
      WITH_RIG(a_second_ptarmigand_on_the_domain_is_refused),
      WITH_RIG(all_files_are_private),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
