/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PTARMIGAN_CLOCK_H
#define PTARMIGAN_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC in nanoseconds: what Java's System.nanoTime returns on Linux. */
static inline uint64_t pt_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
