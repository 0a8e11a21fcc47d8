/* SPDX-License-Identifier: Apache-2.0 */
#include "jvm.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"

#define KILLED (128 + SIGKILL)
#define KILL_MS 5000 /* from SIGKILL to the end of a process that tears down its memory */
#define MS_NS 1000000u

int jvm_start(struct jvm *jvm, const struct launcher *launcher, const struct pt_channel *channel) {
  struct launch_request request = {.kind = LAUNCH_START, .generation = channel->generation};
  struct jvm_grant grant;
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof grant.fds)] = {0};
  struct iovec part = {.iov_base = &request, .iov_len = sizeof request};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  jvm_grant(channel, &grant);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof grant.fds);
  memcpy(CMSG_DATA(rights), grant.fds, sizeof grant.fds);
  *jvm = (struct jvm){.launcher = launcher, .generation = channel->generation};
  return sendmsg(launcher->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int jvm_fd(const struct jvm *jvm) {
  return jvm->launcher->socket;
}

static void set_ended(struct jvm *jvm, int status) {
  jvm->ended = true;
  jvm->status = status;
}

bool jvm_ended(struct jvm *jvm) {
  while (!jvm->ended) {
    struct launch_report report;
    ssize_t bytes = recv(jvm->launcher->socket, &report, sizeof report, MSG_DONTWAIT);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
      return false;
    if (bytes != sizeof report)
      set_ended(jvm, KILLED); /* the launcher died, and the JVM with it */
    else if (report.generation != jvm->generation)
      continue;
    else if (report.kind == LAUNCH_STARTED)
      jvm->pid = report.value;
    else
      set_ended(jvm, report.value);
  }
  return true;
}

void jvm_kill(const struct jvm *jvm) {
  const struct launch_request request = {.kind = LAUNCH_KILL, .generation = jvm->generation};
  send(jvm->launcher->socket, &request, sizeof request, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool wait_end(struct jvm *jvm, int timeout_ms) {
  uint64_t end = pt_now_ns() + (uint64_t)timeout_ms * MS_NS;
  while (!jvm_ended(jvm)) {
    uint64_t now = pt_now_ns();
    if (now >= end)
      return false;
    struct pollfd report = {.fd = jvm_fd(jvm), .events = POLLIN};
    poll(&report, 1, (int)((end - now) / MS_NS) + 1);
  }
  return true;
}

int jvm_finish(struct jvm *jvm, int timeout_ms) {
  if (!wait_end(jvm, timeout_ms)) {
    jvm_kill(jvm);
    wait_end(jvm, KILL_MS);
  }
  return jvm->ended ? jvm->status : KILLED;
}
