/* SPDX-License-Identifier: Apache-2.0 */
/* How long a thread that found nothing to do stays awake: spin, then yield, then sleep. */
#ifndef PTARMIGAN_IDLE_H
#define PTARMIGAN_IDLE_H

#include <stdbool.h>
#include <stdint.h>

struct idle {
  uint64_t spin_ns;
  uint64_t yield_ns;
  uint64_t since_ns; /* 0: busy */
};

/* Chosen by the number of CPUs: with few, a spinning thread keeps the one it waits for from running. */
void idle_init(struct idle *idle);

static inline void idle_reset(struct idle *idle) {
  idle->since_ns = 0;
}

/* Spins or yields once. True: time to sleep. */
bool idle_step(struct idle *idle);

#endif
