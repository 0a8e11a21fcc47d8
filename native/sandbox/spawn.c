/* SPDX-License-Identifier: Apache-2.0 */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"

/* Moves a descriptor out of the range that the machine's own are to have. */
static int lift(int fd) {
  return fcntl(fd, F_DUPFD, CHANNEL_FD_END);
}

/* In the new process, between fork and exec: only async-signal-safe calls. */
static void become_machine(const char *executable, const char *options, const struct spawn_files *files, pid_t parent,
                           bool outlives) {
  int from[] = {lift(files->control), lift(files->ram), lift(files->pages), lift(files->event)};
  for (int i = 0; i < 4; i++) {
    if (from[i] < 0 || dup2(from[i], CHANNEL_CONTROL_FD + i) < 0) {
      _exit(127);
    }
  }
  int null = open("/dev/null", O_RDWR);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    _exit(127);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (close_range(CHANNEL_FD_END, ~0U, 0) < 0 || (!outlives && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) ||
      getppid() != parent) {
    _exit(127);
  }
  execl(executable, executable, options, (char *)NULL);
  _exit(127);
}

int spawn_machine(const char *executable, const char *options, const struct spawn_files *files, bool outlives,
                  struct spawn_child *out) {
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid < 0) {
    return -errno;
  }
  if (pid == 0) {
    if (outlives) {
      setsid(); /* a Ctrl-C is for the monitor */
    }
    become_machine(executable, options, files, parent, outlives);
  }
  int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (pidfd < 0) {
    int status = -errno;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return status;
  }
  *out = (struct spawn_child){.pid = pid, .pidfd = pidfd};
  return 0;
}

bool spawn_ended(const struct spawn_child *child) {
  struct pollfd end = {.fd = child->pidfd, .events = POLLIN};
  return poll(&end, 1, 0) == 1;
}

void spawn_kill(const struct spawn_child *child) {
  syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0); /* not kill(): that reaches every process */
}

void spawn_reap(struct spawn_child *child, int grace_ms) {
  struct pollfd end = {.fd = child->pidfd, .events = POLLIN};
  if (poll(&end, 1, grace_ms) != 1) {
    spawn_kill(child);
  }
  while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
  }
  close(child->pidfd);
}
