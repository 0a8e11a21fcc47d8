/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's memory, how the machine has it mapped, and which frames are restricted ("the EPT"). */
#ifndef PTARMIGAN_SANDBOX_RAM_H
#define PTARMIGAN_SANDBOX_RAM_H

#include "machine.h"

/* Maps the memfd for the hypervisor. Not for handlers. 0 or a negative errno. */
int ram_open(struct machine *machine, int fd);

/* Maps image and direct map where the guest has them. Not for handlers. 0 or a negative errno. */
int ram_map_guest(struct machine *machine);

/* The guest-physical address behind a linear address of image or direct map; false where it is in neither. */
bool ram_kernel_address(const struct machine *machine, uint64_t va, uint64_t *gpa);

bool ram_is_restricted(const struct machine *machine, uint64_t gfn);

/* Changes what the restricted view allows, in force on return. 0 or a negative errno. */
int ram_restrict(struct machine *machine, const uint64_t *gfns, size_t count, bool restricted);

/* Makes all frames writable. */
void ram_unrestrict(struct machine *machine);

/* Makes a frame writable for the vCPU's step without forgetting that it is restricted. False: too many frames. */
bool ram_lift(struct vcpu *vcpu, uint64_t gfn);
bool ram_is_lifted(const struct machine *machine, uint64_t gfn);
/* Undoes the vCPU's ram_lift. */
void ram_lower(struct vcpu *vcpu);

/* The 8 bytes at gpa, a multiple of 8 below ram.size. */
static inline _Atomic uint64_t *ram_entry(const struct machine *machine, uint64_t gpa) {
  return (_Atomic uint64_t *)(void *)(machine->ram.bytes + gpa);
}

#endif
