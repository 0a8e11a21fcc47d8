/* SPDX-License-Identifier: Apache-2.0 */
#include "attached_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "attached"
#define NEW_NAME "attached.new"

int attached_file_write(int dir_fd, const char *backend, const char *options) {
  char text[ATTACHED_BYTES];
  int length = snprintf(text, sizeof text, "%s\n%s\n", backend, options ? options : "");
  if (length >= (int)sizeof text || strchr(backend, '\n') || (options && strchr(options, '\n')))
    return -EINVAL;
  int fd = openat(dir_fd, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return -errno;
  ssize_t written = write(fd, text, (size_t)length);
  int error = written == length ? 0 : written < 0 ? -errno : -ENOSPC;
  if (error == 0 && renameat(dir_fd, NEW_NAME, dir_fd, NAME) < 0)
    error = -errno;
  if (error == 0)
    return fd;
  close(fd);
  return error;
}

void attached_file_done(int fd) {
  /* Where that fails, recovery finds a domain that nobody waits in. */
  if (ftruncate(fd, 0) < 0)
    perror("ptarmigand: cannot empty the file " NAME);
  close(fd);
}

int attached_file_read(int dir_fd, struct attached *out) {
  int fd = openat(dir_fd, NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  ssize_t length = read(fd, out->text, sizeof out->text - 1);
  close(fd);
  if (length < 0)
    return -EIO;
  if (length == 0)
    return -ENOENT;
  out->text[length] = '\0';
  char *first = strchr(out->text, '\n');
  char *second = first ? strchr(first + 1, '\n') : NULL;
  if (!second || second[1] != '\0')
    return -EBADMSG;
  *first = *second = '\0';
  out->backend = out->text;
  out->options = first[1] ? first + 1 : NULL;
  return 0;
}

void attached_file_remove(int dir_fd) {
  unlinkat(dir_fd, NAME, 0);
}
