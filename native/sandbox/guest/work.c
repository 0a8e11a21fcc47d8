/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/work.h"

#include "guest/pool.h"
#include "guest/shared.h"
#include "guest/store.h"

enum { LONGEST_RANGE = 12 };

/* A place for count entries in a table of the vCPU's own, which no walk passes through. */
static uint64_t own_place(struct cpu *cpu, uint64_t count) {
  if (cpu->work_table == 0) {
    cpu->work_table = table_take(cpu);
  }
  return cpu->work_table + random_below(cpu, GUEST_ENTRIES - count) * 8;
}

void work_step(struct cpu *cpu) {
  uint64_t value = xorshift(&cpu->random) << 1;
  uint64_t count = 1 + random_below(cpu, LONGEST_RANGE);
  switch (guest_boot.work) {
    case GUEST_XADD:
      shared_xadd(cpu, value);
      break;
    case GUEST_BTC:
      shared_complement(cpu);
      break;
    case GUEST_XCHG:
      shared_exchange(cpu);
      break;
    case GUEST_STOS:
      store_range(cpu, own_place(cpu, count), count, value, false);
      break;
    default:
      store_sixteen(cpu, own_place(cpu, 2), value, ~value << 1);
      break;
  }
}
