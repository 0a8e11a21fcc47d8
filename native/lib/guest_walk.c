/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_walk.h"

#include <errno.h>

#define CR0_PG (1u << 31)
#define CR4_LA57 (1u << 12)
#define EFER_LMA (1u << 10)
#define ENTRY_PRESENT 1u
#define ENTRY_PS (1u << 7)
#define ENTRY_FRAME 0x000FFFFFFFFFF000u /* bits 51:12, SDM vol. 3A table 4-15 */

static bool canonical(uint64_t gla, unsigned bits) {
  int64_t top = (int64_t)gla >> (bits - 1);
  return top == 0 || top == -1;
}

int pt_guest_walk(struct pt_guest_memory *memory, const struct pt_cpu *cpu, uint64_t gla, uint64_t *gpa) {
  if (!(cpu->cr0 & CR0_PG)) {
    *gpa = gla & 0xFFFFFFFFu;
    return 0;
  }
  if (!(cpu->efer & EFER_LMA))
    return -EOPNOTSUPP;
  unsigned levels = cpu->cr4 & CR4_LA57 ? 5 : 4;
  if (!canonical(gla, PT_PAGE_SHIFT + 9 * levels))
    return -EFAULT;
  uint64_t table = cpu->cr3 & ENTRY_FRAME;
  for (unsigned level = levels;; level--) {
    unsigned shift = PT_PAGE_SHIFT + 9 * (level - 1);
    uint64_t entry;
    int error = pt_guest_read(memory, table + ((gla >> shift) & 511) * 8, &entry, sizeof entry);
    if (error < 0)
      return error;
    if (!(entry & ENTRY_PRESENT))
      return -EFAULT;
    bool large = level == 1 || (level <= 3 && (entry & ENTRY_PS));
    if (large) {
      uint64_t offset = ((uint64_t)1 << shift) - 1;
      *gpa = (entry & ENTRY_FRAME & ~offset) | (gla & offset);
      return 0;
    }
    table = entry & ENTRY_FRAME;
  }
}
