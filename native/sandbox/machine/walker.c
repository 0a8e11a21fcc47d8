/* SPDX-License-Identifier: Apache-2.0 */
#include "walker.h"

#include <time.h>

#include "ram.h"
#include "walk.h"

enum { PAUSE_NS = 100000, NUDGE_NS = 2000 };

static void count(struct machine *machine, unsigned updates) {
  atomic_fetch_add_explicit(&machine->walker_updates, updates, memory_order_relaxed);
}

static void walk_recent(struct machine *machine, struct vcpu *vcpu) {
  struct walk found;
  unsigned updates = 0;
  for (unsigned i = 0; i < RECENT_ADDRESSES; i++) {
    uint64_t va = atomic_load_explicit(&vcpu->recent[i], memory_order_relaxed);
    if (va != 0) {
      walk(machine, atomic_load(&vcpu->cr3), va, WALK_ACCESSED | WALK_DIRTY, &found, &updates);
    }
  }
  count(machine, updates);
}

static void *walker_thread(void *argument) {
  struct machine *machine = argument;
  const struct timespec pause = {.tv_nsec = PAUSE_NS};
  while (atomic_load(&machine->walker_stop) == 0) {
    for (unsigned i = 0; i < machine->options.vcpus; i++) {
      walk_recent(machine, &machine->vcpus[i]);
    }
    nanosleep(&pause, NULL);
  }
  return NULL;
}

int walker_start(struct machine *machine) {
  return machine->options.walker ? -pthread_create(&machine->walker, NULL, walker_thread, machine) : 0;
}

void walker_join(struct machine *machine) {
  if (machine->options.walker) {
    atomic_store(&machine->walker_stop, 1);
    pthread_join(machine->walker, NULL);
  }
}

static uint32_t next_random(struct vcpu *vcpu) {
  vcpu->random ^= vcpu->random << 13;
  vcpu->random ^= vcpu->random >> 17;
  vcpu->random ^= vcpu->random << 5;
  return vcpu->random;
}

/* An address whose walk, with this vCPU's tables, uses the entry; 0 where none of the recent ones does. */
static uint64_t address_through(struct vcpu *vcpu, uint64_t entry_gpa) {
  struct walk found;
  unsigned none = 0;
  for (unsigned i = 0; i < RECENT_ADDRESSES; i++) {
    uint64_t va = atomic_load_explicit(&vcpu->recent[i], memory_order_relaxed);
    if (va == 0) {
      continue;
    }
    walk(vcpu->machine, atomic_load(&vcpu->cr3), va, WALK_NONE, &found, &none);
    for (unsigned k = 0; k < found.levels; k++) {
      if (found.entry_gpa[k] == entry_gpa) {
        return va;
      }
    }
  }
  return 0;
}

static void delay(uint64_t ns) {
  struct timespec start;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  do {
    __builtin_ia32_pause();
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while ((uint64_t)(now.tv_sec - start.tv_sec) * 1000000000u + (uint64_t)now.tv_nsec - (uint64_t)start.tv_nsec < ns);
}

void walker_nudge(struct vcpu *vcpu, const vm_event_request_t *request) {
  struct machine *machine = vcpu->machine;
  if (!machine->options.walker || request->reason != VM_EVENT_REASON_MEM_ACCESS) {
    return;
  }
  uint64_t gpa = request->u.mem_access.gfn * GUEST_PAGE + (request->u.mem_access.offset & ~7ull);
  uint64_t entry = atomic_load(ram_entry(machine, gpa));
  if ((entry & PTE_P) == 0 || (entry & PTE_AD) == PTE_AD) {
    return;
  }
  uint64_t va = address_through(vcpu, gpa);
  if (va != 0) {
    struct walk found;
    unsigned updates = 0;
    delay(next_random(vcpu) % NUDGE_NS);
    walk(machine, atomic_load(&vcpu->cr3), va, WALK_ACCESSED | (next_random(vcpu) & WALK_DIRTY), &found, &updates);
    count(machine, updates);
  }
}
