/* SPDX-License-Identifier: Apache-2.0 */
/* The page walk that the processor would make, over a hostile guest's tables. Bounded; reads only guest frames. */
#ifndef PTARMIGAN_GUEST_WALK_H
#define PTARMIGAN_GUEST_WALK_H

#include "guest_memory.h"

/*
 * Guest-linear to guest-physical in the paging mode that cpu's control registers select (SDM vol. 3A 4.1.1). Access
 * rights are not checked. 0; -EFAULT where an entry is not present or the address is not canonical; -ENOENT where a
 * table lies outside the guest; -EOPNOTSUPP in a paging mode that is not walked (legacy and PAE).
 */
int pt_guest_walk(struct pt_guest_memory *memory, const struct pt_cpu *cpu, uint64_t gla, uint64_t *gpa);

#endif
