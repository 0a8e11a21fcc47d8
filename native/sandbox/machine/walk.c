/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

#include "ram.h"

enum walk_end { WALK_DONE, WALK_FAILED, WALK_AGAIN };

static bool set_bits(const struct machine *machine, uint64_t gpa, uint64_t *entry, uint64_t bits, unsigned *updates) {
  if ((*entry & bits) == bits) {
    return true;
  }
  if (!atomic_compare_exchange_strong(ram_entry(machine, gpa), entry, *entry | bits)) {
    return false;
  }
  *updates += (unsigned)__builtin_popcountll(bits & ~*entry);
  *entry |= bits;
  return true;
}

static enum walk_end walk_once(const struct machine *machine, uint64_t cr3, uint64_t va, unsigned marks,
                               struct walk *out, unsigned *updates) {
  uint64_t table = cr3 & PTE_FRAME;
  *out = (struct walk){.writable = true, .user = true};
  for (unsigned shift = 39;; shift -= 9) {
    uint64_t gpa = table + ((va >> shift) & (GUEST_ENTRIES - 1)) * 8;
    if (gpa >= machine->ram.size) {
      return WALK_FAILED;
    }
    uint64_t entry = atomic_load(ram_entry(machine, gpa));
    if ((entry & PTE_P) == 0) {
      return WALK_FAILED;
    }
    out->entry_gpa[out->levels++] = gpa;
    out->writable &= (entry & PTE_RW) != 0;
    out->user &= (entry & PTE_US) != 0;
    bool leaf = shift == 12 || (shift < 39 && (entry & PTE_PS) != 0);
    uint64_t bits = marks & WALK_ACCESSED ? PTE_A : 0;
    if (leaf && (marks & WALK_DIRTY) && out->writable) {
      bits |= PTE_D;
    }
    if (!set_bits(machine, gpa, &entry, bits, updates)) {
      return WALK_AGAIN;
    }
    if (leaf) {
      out->size = 1ull << shift;
      out->gpa = (entry & PTE_FRAME & ~(out->size - 1)) | (va & (out->size - 1));
      out->dirty = (entry & PTE_D) != 0;
      return out->gpa < machine->ram.size ? WALK_DONE : WALK_FAILED;
    }
    table = entry & PTE_FRAME;
  }
}

bool walk(const struct machine *machine, uint64_t cr3, uint64_t va, unsigned marks, struct walk *out,
          unsigned *updates) {
  enum walk_end end;
  do {
    end = walk_once(machine, cr3, va, marks, out, updates);
  } while (end == WALK_AGAIN);
  return end == WALK_DONE;
}
