/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few system calls of the Java side. Java inherits the descriptors of the shared files and an eventfd; it opens
 * nothing itself. Negative results are negative errno values. Any thread may call any function.
 */
#ifndef PTARMIGAN_NATIVE_CALLS_H
#define PTARMIGAN_NATIVE_CALLS_H

#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Length of the file behind fd in bytes. */
static inline int64_t pt_file_bytes(int fd) {
  struct stat status;

  if (fstat(fd, &status) != 0)
    return -errno;
  return status.st_size;
}

/* Maps length bytes of fd from its start, shared; writable 0 or 1. NULL on error, with *error set to a negative errno. */
static inline void *pt_map(int fd, uint64_t length, int writable, int *error) {
  void *start = mmap(0, length, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);

  *error = start == MAP_FAILED ? -errno : 0;
  return start == MAP_FAILED ? 0 : start;
}

static inline int pt_unmap(void *start, uint64_t length) {
  return munmap(start, length) == 0 ? 0 : -errno;
}

/*
 * Sleeps until word is woken, at most timeout_ns (not negative), unless word differs from expected already. Shared between
 * processes; a read-only mapping suffices. 0 woken, -EAGAIN differed, -ETIMEDOUT, -EINTR.
 */
static inline int pt_futex_wait(const uint32_t *word, uint32_t expected, int64_t timeout_ns) {
  struct timespec timeout;

  timeout.tv_sec = (time_t)(timeout_ns / 1000000000);
  timeout.tv_nsec = (long)(timeout_ns % 1000000000);
  return syscall(SYS_futex, word, FUTEX_WAIT, expected, &timeout, 0, 0) == 0 ? 0 : -errno;
}

/* Wakes everyone who sleeps on word; how many. */
static inline int pt_futex_wake(const uint32_t *word) {
  long woken = syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, 0, 0, 0);

  return woken < 0 ? -errno : (int)woken;
}

/* Adds one to an eventfd. -EAGAIN where it is non-blocking and full: whoever reads it is awake already. */
static inline int pt_eventfd_signal(int fd) {
  const uint64_t one = 1;

  return write(fd, &one, sizeof(one)) == (ssize_t)sizeof(one) ? 0 : -errno;
}

#endif
