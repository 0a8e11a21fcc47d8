/* SPDX-License-Identifier: Apache-2.0 */
#include "connect.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "channel.h"

enum { HELLO_MS = 5000, HELLO_FDS = 3 };

static int open_socket(const char *dir) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/" CHANNEL_SOCKET, dir);
  if (length >= (int)sizeof(address.sun_path)) {
    return -ENAMETOOLONG;
  }
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return -errno;
  }
  if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
    return fd;
  }
  int status = errno == ENOENT || errno == ECONNREFUSED ? -ESRCH : -errno;
  close(fd);
  return status;
}

static int receive_hello(int control, struct channel_hello *hello, int fds[HELLO_FDS]) {
  union {
    char bytes[CMSG_SPACE(HELLO_FDS * sizeof(int))];
    struct cmsghdr align;
  } rights;
  struct iovec data = {.iov_base = hello, .iov_len = sizeof(*hello)};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = rights.bytes, .msg_controllen = sizeof(rights.bytes)};
  struct pollfd readable = {.fd = control, .events = POLLIN};
  if (poll(&readable, 1, HELLO_MS) != 1) {
    return -ETIMEDOUT;
  }
  ssize_t bytes = recvmsg(control, &message, MSG_CMSG_CLOEXEC);
  const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (bytes != sizeof(*hello) || header == NULL || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(HELLO_FDS * sizeof(int))) {
    return -ESRCH; /* it ended meanwhile */
  }
  memcpy(fds, CMSG_DATA(header), HELLO_FDS * sizeof(int));
  return 0;
}

static int find_process(int control, struct spawn_child *child) {
  struct ucred peer;
  socklen_t length = sizeof(peer);
  if (getsockopt(control, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) {
    return -errno;
  }
  int pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
  if (pidfd < 0) {
    return -errno;
  }
  *child = (struct spawn_child){.pid = peer.pid, .pidfd = pidfd};
  return 0;
}

int connect_machine(const char *dir, struct spawn_files *files, struct spawn_child *child, unsigned *vcpus) {
  struct channel_hello hello;
  int fds[HELLO_FDS];
  int control = open_socket(dir);
  if (control < 0) {
    return control;
  }
  int status = receive_hello(control, &hello, fds);
  if (status < 0) {
    close(control);
    return status;
  }
  files->control = control;
  files->ram = fds[0];
  files->pages = fds[1];
  files->event = fds[2];
  *vcpus = hello.vcpus;
  return find_process(control, child);
}
