/* SPDX-License-Identifier: Apache-2.0 */
/* What a confined loop can do and cannot. Each case is a process of its own: the filter is for good. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "region.h"
#include "rig.h"

#define DONE 0
#define REFUSED 1
#define OTHERWISE 2

static int answer(long result) {
  return result >= 0 ? DONE : errno == EPERM ? REFUSED : OTHERWISE;
}

/* Exit status of a confined process that does this, or 128 + signal. */
static int confined(int (*act)(void), const int *more) {
  int status;
  if (!confine_supported())
    skip();
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    _exit(confine(more) == 0 ? act() : 3);
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_program(void) {
  return answer(execl("/bin/true", "true", (char *)NULL));
}

static int start_process(void) {
  return answer(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int fork_process(void) {
  return answer(fork());
}

static int be_traced(void) {
  return answer(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int write_into_process(void) {
  return answer(syscall(SYS_process_vm_writev, getpid(), NULL, 0, NULL, 0, 0));
}

static int change_user(void) {
  return answer(setuid(65534));
}

static int leave_namespace(void) {
  return answer(unshare(CLONE_NEWNS));
}

static int load_module(void) {
  return answer(syscall(SYS_init_module, NULL, 0, ""));
}

static int calls_unseen(void) {
  return answer(syscall(SYS_io_uring_setup, 1, NULL));
}

static void what_only_an_intruder_would_do_ends_the_process(void **state) {
  (void)state;
  int (*const acts[])(void) = {run_program, start_process,   fork_process, be_traced,   write_into_process,
                               change_user, leave_namespace, load_module,  calls_unseen};
  for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
    if (confined(acts[i], NULL) != 128 + SIGSYS)
      fail_msg("act %zu", i);
}

static int open_file(void) {
  return answer(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static int remove_file(void) {
  return answer(unlink("/tmp/ptarmigan-no-such-file"));
}

static int remove_file_below(void) {
  return answer(unlinkat(AT_FDCWD, "/tmp/ptarmigan-no-such-file", 0));
}

static int look_at_file(void) {
  struct stat status;
  return answer(stat("/", &status));
}

static int open_socket(void) {
  return answer(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int signal_another(void) {
  return answer(kill(getppid(), 0));
}

static int signal_another_thread(void) {
  return answer(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int copy_descriptor(void) {
  return answer(fcntl(0, F_DUPFD_CLOEXEC, 10));
}

static int map_code(void) {
  return answer((long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static int make_code(void) {
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return answer(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int widen_filter(void) {
  return answer(prctl(PR_SET_SECCOMP, 0, 0, 0, 0));
}

static void what_the_loop_does_not_need_is_an_error(void **state) {
  (void)state;
  int (*const acts[])(void) = {open_file,       remove_file,  remove_file_below, look_at_file,
                               open_socket,     widen_filter, signal_another,    signal_another_thread,
                               copy_descriptor, map_code,     make_code};
  for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
    if (confined(acts[i], NULL) != REFUSED)
      fail_msg("act %zu", i);
}

static int make_a_generation(void) {
  struct pt_decisions_region region;
  if (pt_decisions_create(&region, 1, 0) < 0)
    return OTHERWISE;
  pt_decisions_destroy(&region);
  void *large = malloc(64 << 20);
  memset(large, 1, 64 << 20);
  large = realloc(large, 80 << 20);
  free(large);
  fprintf(stderr, "confined, and able to say so\n");
  return DONE;
}

static void a_new_generation_can_be_made(void **state) {
  (void)state;
  assert_int_equal(confined(make_a_generation, NULL), DONE);
}

static int abort_itself(void) {
  abort();
}

static void a_failed_assertion_ends_it_as_ever(void **state) {
  (void)state;
  assert_int_equal(confined(abort_itself, NULL), 128 + SIGABRT);
}

static void a_backend_can_have_calls_of_its_own(void **state) {
  (void)state;
  static const int more[] = {SYS_socket, -1};
  assert_int_equal(confined(open_socket, more), DONE);
  assert_int_equal(confined(open_file, more), REFUSED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_only_an_intruder_would_do_ends_the_process),
      cmocka_unit_test(what_the_loop_does_not_need_is_an_error),
      cmocka_unit_test(a_new_generation_can_be_made),
      cmocka_unit_test(a_failed_assertion_ends_it_as_ever),
      cmocka_unit_test(a_backend_can_have_calls_of_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
