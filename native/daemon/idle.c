/* SPDX-License-Identifier: Apache-2.0 */
#include "idle.h"

#include <sched.h>

#include "clock.h"
#include "memory_order.h"

#define FEW_CPUS 4

void idle_init(struct idle *idle) {
  cpu_set_t cpus;
  bool few = sched_getaffinity(0, sizeof cpus, &cpus) < 0 || CPU_COUNT(&cpus) <= FEW_CPUS;
  idle->spin_ns = few ? 2000 : 20000;
  idle->yield_ns = few ? 50000 : 100000;
  idle->since_ns = 0;
}

bool idle_step(struct idle *idle) {
  uint64_t now = pt_now_ns();
  if (idle->since_ns == 0)
    idle->since_ns = now;
  uint64_t waited = now - idle->since_ns;
  if (waited < idle->spin_ns)
    pt_spin_hint();
  else if (waited < idle->yield_ns)
    sched_yield();
  else
    return true;
  return false;
}
