/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that all vCPUs write at once, by operations whose joint result does not depend on their order. */
#ifndef PTARMIGAN_SANDBOX_GUEST_SHARED_H
#define PTARMIGAN_SANDBOX_GUEST_SHARED_H

#include "guest/cpu.h"

/* One operation of a random kind. Adds what it does at the least, without repetitions, to cpu.shared_writes. */
void shared_step(struct cpu *cpu);

/* Single operations on the contended entries. */
void shared_xadd(struct cpu *cpu, uint64_t value);
void shared_complement(struct cpu *cpu); /* BTC of one of the vCPU's bits */
void shared_exchange(struct cpu *cpu);

/* For the last vCPU: holds the contended entries against what all of them have done. */
void shared_finish(struct cpu *cpu);

#endif
