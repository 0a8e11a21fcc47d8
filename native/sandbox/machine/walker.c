/* SPDX-License-Identifier: Apache-2.0 */
#include "walker.h"

#include <sched.h>
#include <time.h>

#include "events.h"
#include "lib/clock.h"
#include "ram.h"
#include "walk.h"

enum { PAUSE_NS = 400000, TAKE_NS = 50000, LOOK_NS = 300, LINGER_NS = 1500 };

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
    for (unsigned i = 0; i < machine->options.vcpus && atomic_load(&machine->paused) == 0; i++) {
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

/* Whether some level of va's walk uses the entry with that number of its table. */
static bool uses_index(uint64_t va, uint64_t index) {
  for (unsigned shift = 12; shift <= 39; shift += 9) {
    if ((va >> shift & (GUEST_ENTRIES - 1)) == index) {
      return true;
    }
  }
  return false;
}

static bool passes(const struct vcpu *vcpu, uint64_t va, uint64_t entry_gpa) {
  struct walk found;
  unsigned none = 0;
  walk(vcpu->machine, atomic_load(&vcpu->cr3), va, WALK_NONE, &found, &none);
  for (unsigned i = 0; i < found.levels; i++) {
    if (found.entry_gpa[i] == entry_gpa) {
      return true;
    }
  }
  return false;
}

/* An address that the vCPU has used and whose walk uses the entry. */
static bool find_walk(const struct vcpu *vcpu, uint64_t entry_gpa, uint64_t *va) {
  for (unsigned i = 0; i < RECENT_ADDRESSES; i++) {
    *va = atomic_load_explicit(&vcpu->recent[i], memory_order_relaxed);
    if (*va != 0 && uses_index(*va, entry_gpa / 8 % GUEST_ENTRIES) && passes(vcpu, *va, entry_gpa)) {
      return true;
    }
  }
  return false;
}

/* Gives the monitor time to take the request and to look at the entry, but not for long. */
static void wait_for_look(struct vcpu *vcpu, RING_IDX request) {
  struct machine *machine = vcpu->machine;
  uint64_t end = pt_now_ns() + TAKE_NS;
  while (!events_taken(machine, request) && pt_now_ns() < end) {
    sched_yield();
  }
  end = pt_now_ns() + LOOK_NS + next_random(vcpu) % LINGER_NS;
  while (pt_now_ns() < end) {
    __builtin_ia32_pause();
  }
}

/* One half of the times a read, which sets A, the other a write, which sets D where it may. */
static void walk_now(struct vcpu *vcpu, uint64_t cr3, uint64_t va) {
  struct walk found;
  unsigned updates = 0;
  walk(vcpu->machine, cr3, va, WALK_ACCESSED | (next_random(vcpu) & WALK_DIRTY), &found, &updates);
  count(vcpu->machine, updates);
}

void walker_nudge(struct vcpu *vcpu, const vm_event_request_t *request, RING_IDX index) {
  struct machine *machine = vcpu->machine;
  uint64_t gpa = request->u.mem_access.gfn * GUEST_PAGE + (request->u.mem_access.offset & ~7ull);
  uint64_t va;
  if (!machine->options.walker || request->reason != VM_EVENT_REASON_MEM_ACCESS) {
    return;
  }
  uint64_t entry = atomic_load(ram_entry(machine, gpa));
  if ((entry & PTE_P) == 0 || (entry & PTE_AD) == PTE_AD) {
    return;
  }
  for (unsigned i = 0; i < machine->options.vcpus; i++) {
    if (find_walk(&machine->vcpus[i], gpa, &va)) {
      wait_for_look(vcpu, index);
      walk_now(vcpu, atomic_load(&machine->vcpus[i].cr3), va);
      return;
    }
  }
}
