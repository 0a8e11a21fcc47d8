/* SPDX-License-Identifier: Apache-2.0 */
#include "run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "lock"
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static bool name_valid(const char *domain) {
  size_t length = strlen(domain);
  return length > 0 && length <= NAME_MAX && domain[0] != '.' && strspn(domain, NAME_CHARACTERS) == length;
}

static int base_path(const char *base, char out[PATH_MAX]) {
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  int length;
  if (base)
    length = snprintf(out, PATH_MAX, "%s", base);
  else if (geteuid() == 0)
    length = snprintf(out, PATH_MAX, "/run/ptarmigan");
  else if (runtime && runtime[0] == '/')
    length = snprintf(out, PATH_MAX, "%s/ptarmigan", runtime);
  else
    length = snprintf(out, PATH_MAX, "/tmp/ptarmigan-%u", (unsigned)geteuid());
  return length > 0 && length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Opens a directory that is ours alone, made here if need be. */
static int open_private(int at, const char *path, bool make) {
  struct stat status;
  if (make && mkdirat(at, path, 0700) < 0 && errno != EEXIST)
    return -errno;
  int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return errno == ELOOP || errno == ENOTDIR ? -EPERM : -errno;
  if (fstat(fd, &status) == 0 && status.st_uid == geteuid() && !(status.st_mode & 077))
    return fd;
  close(fd);
  return -EPERM;
}

static int open_domain(const char *base, const char *domain, bool make) {
  char path[PATH_MAX];
  if (!name_valid(domain))
    return -EINVAL;
  int error = base_path(base, path);
  if (error < 0)
    return error;
  int base_fd = open_private(AT_FDCWD, path, make);
  if (base_fd < 0)
    return base_fd;
  int fd = open_private(base_fd, domain, make);
  close(base_fd);
  return fd;
}

static int take_lock(int dir_fd) {
  int fd = openat(dir_fd, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return -errno;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(fd, 0) == 0 && dprintf(fd, "%d\n", (int)getpid()) > 0)
    return fd;
  int error = errno == EWOULDBLOCK ? -EBUSY : -errno;
  close(fd);
  return error;
}

static const char *explain(int error) {
  switch (error) {
    case -EBUSY:
      return "another ptarmigand watches this domain";
    case -EINVAL:
      return "the domain's name may hold letters, digits, '.', '_' and '-' only";
    case -EPERM:
      return "the run-time directory belongs to another user, or others can read it";
    default:
      return NULL;
  }
}

int run_dir_open(const char *base, const char *domain, struct run_dir *out, const char **message) {
  int error = 0;
  out->lock_fd = -1;
  out->fd = open_domain(base, domain, true);
  if (out->fd < 0)
    error = out->fd;
  else
    error = out->lock_fd = take_lock(out->fd);
  if (error >= 0)
    return 0;
  if (out->fd >= 0)
    close(out->fd);
  *message = explain(error);
  return error;
}

void run_dir_close(struct run_dir *dir) {
  close(dir->lock_fd);
  close(dir->fd);
}

pid_t run_dir_holder(const char *base, const char *domain) {
  char text[16] = "";
  int dir_fd = open_domain(base, domain, false);
  if (dir_fd < 0)
    return -ESRCH;
  int fd = openat(dir_fd, LOCK_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  close(dir_fd);
  if (fd < 0)
    return -ESRCH;
  bool held = flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
  ssize_t length = held ? read(fd, text, sizeof text - 1) : 0;
  close(fd);
  int pid = length > 0 ? atoi(text) : 0;
  return pid > 0 ? pid : -ESRCH;
}
