/* SPDX-License-Identifier: Apache-2.0 */
#include "monitors.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int address_of(const struct machine *machine, struct sockaddr_un *out) {
  memset(out, 0, sizeof(*out));
  out->sun_family = AF_UNIX;
  int length = snprintf(out->sun_path, sizeof(out->sun_path), "%s/" CHANNEL_SOCKET, machine->options.dir);
  return length < (int)sizeof(out->sun_path) ? 0 : -ENAMETOOLONG;
}

int monitors_listen(const struct machine *machine) {
  struct sockaddr_un address;
  int status = address_of(machine, &address);
  if (status < 0) {
    return status;
  }
  int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (listener < 0) {
    return -errno;
  }
  unlink(address.sun_path); /* of a machine that was killed */
  mode_t before = umask(077);
  status =
      bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 1) < 0 ? -errno : 0;
  umask(before);
  if (status < 0) {
    close(listener);
    return status;
  }
  return listener;
}

static int hand_over(const struct machine *machine, int connection) {
  struct channel_hello hello = {.vcpus = machine->options.vcpus};
  struct iovec data = {.iov_base = &hello, .iov_len = sizeof(hello)};
  const int fds[] = {CHANNEL_RAM_FD, CHANNEL_PAGES_FD, CHANNEL_EVENT_FD};
  union {
    char bytes[CMSG_SPACE(sizeof(fds))];
    struct cmsghdr align;
  } control;
  memset(&control, 0, sizeof(control));
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(fds));
  memcpy(CMSG_DATA(rights), fds, sizeof(fds));
  return sendmsg(connection, &message, MSG_NOSIGNAL) == sizeof(hello) ? 0 : -errno;
}

int monitors_accept(const struct machine *machine, int listener) {
  int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (connection < 0) {
    return -errno;
  }
  int status = hand_over(machine, connection);
  if (status == 0 && dup2(connection, CHANNEL_CONTROL_FD) < 0) {
    status = -errno;
  }
  close(connection);
  return status;
}

void monitors_close(const struct machine *machine) {
  struct sockaddr_un address;
  if (machine->options.orphan_seconds > 0 && address_of(machine, &address) == 0) {
    unlink(address.sun_path);
  }
}
