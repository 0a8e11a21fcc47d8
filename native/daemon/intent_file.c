/* SPDX-License-Identifier: Apache-2.0 */
#include "intent_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "intent"

static int map(int fd, size_t bytes, struct intent_file *out) {
  /* Populated: no write to it is to wait for a page. */
  void *address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  int error = address == MAP_FAILED ? -errno : 0;
  close(fd);
  if (error < 0)
    return error;
  *out = (struct intent_file){.intents = address, .bytes = bytes};
  return 0;
}

int intent_file_create(int dir_fd, unsigned vcpus, struct intent_file *out) {
  size_t bytes = pt_intents_bytes(vcpus);
  int fd = openat(dir_fd, NAME, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return -errno;
  int error = posix_fallocate(fd, 0, (off_t)bytes); /* or a full file system would be a SIGBUS later */
  if (error == 0)
    return map(fd, bytes, out);
  close(fd);
  return -error;
}

int intent_file_open(int dir_fd, struct intent_file *out) {
  struct stat status;
  int fd = openat(dir_fd, NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
    return map(fd, (size_t)status.st_size, out);
  close(fd);
  *out = (struct intent_file){.intents = NULL, .bytes = 0};
  return 0;
}

void intent_file_close(struct intent_file *file) {
  if (file->intents)
    munmap(file->intents, file->bytes);
  file->intents = NULL;
}

void intent_file_remove(int dir_fd) {
  unlinkat(dir_fd, NAME, 0);
}
