/* SPDX-License-Identifier: Apache-2.0 */
#include "tlb.h"

#include <sys/mman.h>

#include "ram.h"
#include "walk.h"

bool tlb_covers(const struct machine *machine, uint64_t va) {
  return (va >= GUEST_SHARED_VA && va < GUEST_DENIED_VA + GUEST_PAGE) ||
         va - GUEST_USER_VA < machine->options.vcpus * GUEST_SLOT_BYTES;
}

static void drop(struct tlb_entry *entry) {
  munmap((void *)entry->va, GUEST_PAGE);
  entry->va = 0;
}

static void note(struct vcpu *vcpu, uint64_t va) {
  uint64_t slot = (va >> 12) * 0x9e3779b97f4a7c15ull >> 32;
  atomic_store_explicit(&vcpu->recent[slot % RECENT_ADDRESSES], va, memory_order_relaxed);
}

static struct tlb_entry *slot_for(struct vcpu *vcpu, uint64_t page) {
  for (unsigned i = 0; i < TLB_ENTRIES; i++) {
    if (vcpu->tlb[i].va == page) {
      return &vcpu->tlb[i];
    }
  }
  struct tlb_entry *oldest = &vcpu->tlb[vcpu->tlb_next];
  vcpu->tlb_next = (vcpu->tlb_next + 1) % TLB_ENTRIES;
  if (oldest->va != 0) {
    drop(oldest);
  }
  return oldest;
}

static void fill(struct vcpu *vcpu, uint64_t page, const struct walk *found, bool writable) {
  struct tlb_entry *entry = slot_for(vcpu, page);
  *entry = (struct tlb_entry){.va = page, .gfn = found->gpa / GUEST_PAGE, .size = found->size};
  mmap((void *)page, GUEST_PAGE, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED | MAP_FIXED,
       vcpu->machine->ram.fd, (off_t)(found->gpa & ~(GUEST_PAGE - 1)));
}

enum tlb_result tlb_access(struct vcpu *vcpu, uint64_t va, bool write, uint64_t *gpa, uint64_t *error) {
  struct machine *machine = vcpu->machine;
  struct walk found;
  unsigned updates = 0;
  unsigned marks = machine->options.walker ? WALK_ACCESSED | (write ? WALK_DIRTY : 0) : WALK_NONE;
  note(vcpu, va);
  bool present = walk(machine, atomic_load(&vcpu->cr3), va, marks, &found, &updates);
  atomic_fetch_add_explicit(&machine->walker_updates, updates, memory_order_relaxed);
  if (!present || !found.user || (write && !found.writable)) {
    *error = FAULT_USER | (present ? FAULT_PRESENT : 0) | (write ? FAULT_WRITE : 0);
    return TLB_PAGE_FAULT;
  }
  *gpa = found.gpa;
  futex_lock(&machine->ram.lock);
  uint64_t gfn = found.gpa / GUEST_PAGE;
  bool restricted = ram_is_restricted(machine, gfn) && !ram_is_lifted(machine, gfn);
  /* As in a processor, a translation is writable only once its D bit is set, so that the first write sets it. */
  bool writable = found.writable && (found.dirty || write);
  fill(vcpu, va & ~(GUEST_PAGE - 1), &found, writable && !restricted);
  futex_unlock(&machine->ram.lock);
  return write && restricted ? TLB_RESTRICTED : TLB_FILLED;
}

void tlb_invalidate(struct vcpu *vcpu, uint64_t va) {
  futex_lock(&vcpu->machine->ram.lock);
  for (unsigned i = 0; i < TLB_ENTRIES; i++) {
    struct tlb_entry *entry = &vcpu->tlb[i];
    if (entry->va != 0 && (entry->va & ~(entry->size - 1)) == (va & ~(entry->size - 1))) {
      drop(entry);
    }
  }
  futex_unlock(&vcpu->machine->ram.lock);
  note(vcpu, va);
}

void tlb_flush(struct vcpu *vcpu) {
  futex_lock(&vcpu->machine->ram.lock);
  for (unsigned i = 0; i < TLB_ENTRIES; i++) {
    if (vcpu->tlb[i].va != 0) {
      drop(&vcpu->tlb[i]);
    }
  }
  futex_unlock(&vcpu->machine->ram.lock);
}

void tlb_drop_frame(struct machine *machine, uint64_t gfn) {
  for (unsigned i = 0; i < machine->options.vcpus; i++) {
    for (unsigned k = 0; k < TLB_ENTRIES; k++) {
      struct tlb_entry *entry = &machine->vcpus[i].tlb[k];
      if (entry->va != 0 && entry->gfn == gfn) {
        drop(entry);
      }
    }
  }
}
