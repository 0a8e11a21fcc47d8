/* SPDX-License-Identifier: Apache-2.0 */
#include "jvm_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "readable.h"

#define FIRST_FD 3 /* after the standard streams */
#define FAILED 127
#define KEPT_MOST 64

static const struct {
  const char *variable; /* tells the JVM the number */
  size_t offset;
} granted[JVM_FDS] = {
    {"PTARMIGAN_STREAM_FD", offsetof(struct pt_channel, stream_fd)},
    {"PTARMIGAN_DECISIONS_FD", offsetof(struct pt_channel, decisions_fd)},
    {"PTARMIGAN_WAKE_FD", offsetof(struct pt_channel, wake_fd)},
    {"PTARMIGAN_NOTEBOOK_FD", offsetof(struct pt_channel, notebook_fd)},
};

/* Of the caller's environment, beside what begins with PTARMIGAN_. */
static const char *const kept_names[] = {"PATH", "LANG", "LC_ALL", "TZ"};

void jvm_grant(const struct pt_channel *channel, struct jvm_grant *out) {
  for (size_t i = 0; i < JVM_FDS; i++)
    memcpy(&out->fds[i], (const char *)channel + granted[i].offset, sizeof out->fds[i]);
  out->generation = channel->generation;
}

static _Noreturn void fail(const char *what, int error) {
  fprintf(stderr, "ptarmigand: cannot start the JVM: %s: %s\n", what, strerror(-error));
  _exit(FAILED);
}

static void set_number(const char *name, unsigned value) {
  char text[16];
  snprintf(text, sizeof text, "%u", value);
  if (setenv(name, text, 1) < 0)
    fail("environment", -errno);
}

static bool kept(const char *entry) {
  size_t length = strcspn(entry, "=");
  if (strncmp(entry, "PTARMIGAN_", strlen("PTARMIGAN_")) == 0)
    return true;
  for (size_t i = 0; i < sizeof kept_names / sizeof *kept_names; i++)
    if (strlen(kept_names[i]) == length && strncmp(entry, kept_names[i], length) == 0)
      return true;
  return false;
}

static void reduce_environment(const struct jvm_program *program, const struct jvm_grant *grant) {
  static char *few[KEPT_MOST + 1];
  size_t count = 0;
  for (char **entry = environ; *entry && count < KEPT_MOST; entry++)
    if (kept(*entry))
      few[count++] = *entry;
  environ = few;
  if (setenv("HOME", program->identity->home, 1) < 0)
    fail("environment", -errno);
  for (unsigned i = 0; i < JVM_FDS; i++)
    set_number(granted[i].variable, FIRST_FD + i);
  set_number("PTARMIGAN_GENERATION", grant->generation);
}

/* Out of each other's way first. */
static bool place_descriptors(const int fds[JVM_FDS]) {
  int high[JVM_FDS];
  int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0)
    return false;
  for (int i = 0; i < JVM_FDS; i++) {
    high[i] = fcntl(fds[i], F_DUPFD, FIRST_FD + JVM_FDS);
    if (high[i] < 0)
      return false;
  }
  for (int i = 0; i < JVM_FDS; i++)
    if (dup2(high[i], FIRST_FD + i) < 0)
      return false;
  return syscall(SYS_close_range, FIRST_FD + JVM_FDS, ~0u, 0) == 0;
}

/* A session of its own: Ctrl-C is for the loop, and the terminal is not the JVM's, to type into. */
static void detach_from_terminal(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (setsid() < 0)
    fail("session", -errno);
}

static void keep_memory_private(void) {
  const struct rlimit none = {0, 0};
  umask(077);
  if (setrlimit(RLIMIT_CORE, &none) < 0)
    fail("limit", -errno);
}

static void check_readable(const struct jvm_program *program) {
  char path[PATH_MAX];
  if (command_readable(program->command, path))
    return;
  fprintf(stderr,
          "ptarmigand: cannot start the JVM: its user %s may not read %s; let it, or name another user by --jvm-user\n",
          program->identity->name, path);
  _exit(FAILED);
}

_Noreturn void jvm_process_run(const struct jvm_program *program, const struct jvm_grant *grant, pid_t parent) {
  detach_from_terminal();
  keep_memory_private();
  if (!place_descriptors(grant->fds))
    fail("descriptors", -errno);
  reduce_environment(program, grant);
  int error = identity_assume(program->identity);
  if (error < 0)
    fail("its user", error);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
    _exit(FAILED);
  check_readable(program);
  execvp(program->command[0], program->command);
  fail(program->command[0], -errno);
}
