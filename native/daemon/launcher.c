/* SPDX-License-Identifier: Apache-2.0 */
#include "launcher.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKET_FD 3 /* in the launcher, after the standard streams */

struct server {
  const struct jvm_program *program;
  pid_t self;
  pid_t jvm; /* 0: none */
  int jvm_fd;
  uint32_t generation;
};

static void report(uint32_t kind, uint32_t generation, int32_t value) {
  const struct launch_report message = {.kind = kind, .generation = generation, .value = value};
  send(SOCKET_FD, &message, sizeof message,
       MSG_NOSIGNAL); /* in vain once the loop has ended: said by the next recvmsg */
}

static void reap(struct server *server) {
  int status = 0;
  while (waitpid(server->jvm, &status, 0) < 0 && errno == EINTR)
    ;
  close(server->jvm_fd);
  server->jvm_fd = -1;
  server->jvm = 0;
  report(LAUNCH_ENDED, server->generation, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void end_jvm(struct server *server) {
  if (server->jvm == 0)
    return;
  kill(server->jvm, SIGKILL);
  reap(server);
}

static void start(struct server *server, const struct jvm_grant *grant) {
  end_jvm(server);
  server->generation = grant->generation;
  pid_t pid = fork();
  if (pid == 0)
    jvm_process_run(server->program, grant, server->self);
  int fd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) {
    fprintf(stderr, "ptarmigand: cannot start the JVM: %s\n", strerror(errno));
    if (pid > 0) {
      kill(pid, SIGKILL);
      waitpid(pid, NULL, 0);
    }
    report(LAUNCH_ENDED, grant->generation, 127);
    return;
  }
  server->jvm = pid;
  server->jvm_fd = fd;
  report(LAUNCH_STARTED, grant->generation, pid);
}

static void close_all(const struct jvm_grant *grant, size_t count) {
  for (size_t i = 0; i < count; i++)
    close(grant->fds[i]);
}

/* Descriptors that came with a message; count is how many. */
static size_t take_descriptors(struct msghdr *message, struct jvm_grant *grant) {
  struct cmsghdr *control = CMSG_FIRSTHDR(message);
  if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
    return 0;
  size_t bytes = control->cmsg_len - CMSG_LEN(0);
  memcpy(grant->fds, CMSG_DATA(control), bytes);
  return bytes / sizeof *grant->fds;
}

/* False once the loop has ended. */
static bool serve_request(struct server *server) {
  struct launch_request request = {0};
  struct jvm_grant grant;
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof grant.fds)];
  struct iovec part = {.iov_base = &request, .iov_len = sizeof request};
  /* No room for a descriptor more: CMSG_SPACE() is rounded up. */
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_LEN(sizeof grant.fds)};
  ssize_t bytes = recvmsg(SOCKET_FD, &message, MSG_CMSG_CLOEXEC);
  if (bytes <= 0)
    return bytes < 0 && errno == EINTR;
  size_t count = take_descriptors(&message, &grant);
  grant.generation = request.generation;
  if (request.kind == LAUNCH_START && count == JVM_FDS)
    start(server, &grant);
  else if (request.kind == LAUNCH_KILL && server->jvm != 0 && request.generation == server->generation)
    kill(server->jvm, SIGKILL);
  close_all(&grant, count);
  return true;
}

static _Noreturn void serve(const struct jvm_program *program) {
  struct server server = {.program = program, .self = getpid(), .jvm_fd = -1};
  for (bool more = true; more;) {
    struct pollfd fds[] = {{.fd = SOCKET_FD, .events = POLLIN}, {.fd = server.jvm_fd, .events = POLLIN}};
    if (poll(fds, 2, -1) < 0)
      continue;
    if (fds[1].revents)
      reap(&server);
    if (fds[0].revents)
      more = serve_request(&server);
  }
  end_jvm(&server);
  _exit(0);
}

/* No death signal: who dies by one cannot end a JVM that has rid itself of its own. The socket's end says as much. */
static _Noreturn void become_launcher(const struct jvm_program *program, int socket) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL); /* the end of the loop is what ends it */
  if (setsid() < 0 || dup2(socket, SOCKET_FD) < 0 || syscall(SYS_close_range, SOCKET_FD + 1, ~0u, 0) < 0)
    _exit(1);
  prctl(PR_SET_NAME, "ptarmigan-start");
  serve(program);
}

int launcher_open(const struct jvm_program *program, struct launcher *out) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
    return -errno;
  pid_t pid = fork();
  int error = -errno;
  if (pid == 0)
    become_launcher(program, sockets[1]);
  close(sockets[1]);
  if (pid < 0) {
    close(sockets[0]);
    return error;
  }
  *out = (struct launcher){.pid = pid, .socket = sockets[0]};
  return 0;
}

void launcher_close(struct launcher *launcher) {
  close(launcher->socket);
  while (waitpid(launcher->pid, NULL, 0) < 0 && errno == EINTR)
    ;
}
