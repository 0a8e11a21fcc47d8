/* SPDX-License-Identifier: Apache-2.0 */
#include "jvm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FD 3 /* after the standard streams */
#define CHANNEL_FDS 3

static void set_number(const char *name, unsigned value) {
  char text[16];
  snprintf(text, sizeof text, "%u", value);
  setenv(name, text, 1);
}

/* Moves the descriptors to 3, 4 and 5, out of each other's way first. */
static bool place_descriptors(const struct pt_channel *channel) {
  const int from[CHANNEL_FDS] = {channel->stream_fd, channel->decisions_fd, channel->wake_fd};
  int high[CHANNEL_FDS];
  for (int i = 0; i < CHANNEL_FDS; i++) {
    high[i] = fcntl(from[i], F_DUPFD, FIRST_FD + CHANNEL_FDS);
    if (high[i] < 0)
      return false;
  }
  for (int i = 0; i < CHANNEL_FDS; i++)
    if (dup2(high[i], FIRST_FD + i) < 0)
      return false;
  return syscall(SYS_close_range, FIRST_FD + CHANNEL_FDS, ~0u, 0) == 0;
}

static void run_child(pid_t parent, char *const *command, const struct pt_channel *channel) {
  sigset_t none;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(127);
  setpgid(0, 0); /* Ctrl-C is for the loop, which ends the JVM in good order */
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (!place_descriptors(channel))
    _exit(127);
  set_number("PTARMIGAN_STREAM_FD", FIRST_FD);
  set_number("PTARMIGAN_DECISIONS_FD", FIRST_FD + 1);
  set_number("PTARMIGAN_WAKE_FD", FIRST_FD + 2);
  set_number("PTARMIGAN_GENERATION", channel->generation);
  execvp(command[0], command);
  perror(command[0]);
  _exit(127);
}

int jvm_start(struct jvm *jvm, char *const *command, const struct pt_channel *channel) {
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid < 0)
    return -errno;
  if (pid == 0)
    run_child(parent, command, channel);
  jvm->pid = pid;
  jvm->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (jvm->pidfd < 0) {
    int error = -errno;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return error;
  }
  return 0;
}

static bool wait_end(const struct jvm *jvm, int timeout_ms) {
  struct pollfd end = {.fd = jvm->pidfd, .events = POLLIN};
  return poll(&end, 1, timeout_ms) > 0;
}

bool jvm_ended(const struct jvm *jvm) {
  return wait_end(jvm, 0);
}

int jvm_finish(struct jvm *jvm, int timeout_ms) {
  int status = 0;
  if (!wait_end(jvm, timeout_ms))
    kill(jvm->pid, SIGKILL);
  while (waitpid(jvm->pid, &status, 0) < 0 && errno == EINTR)
    ;
  close(jvm->pidfd);
  jvm->pidfd = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
