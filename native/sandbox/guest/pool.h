/* SPDX-License-Identifier: Apache-2.0 */
/* A vCPU's own page-table pages and data frames. */
#ifndef PTARMIGAN_SANDBOX_GUEST_POOL_H
#define PTARMIGAN_SANDBOX_GUEST_POOL_H

#include "guest/cpu.h"

void pool_init(struct cpu *cpu);

/* A page of zeros; it must be one again when it is given back. 0: none left. */
uint64_t table_take(struct cpu *cpu);
void table_give(struct cpu *cpu, uint64_t gpa);

/* A frame with one user. 0: none left. */
uint64_t frame_take(struct cpu *cpu);
void frame_share(struct cpu *cpu, uint64_t gpa);
/* One user less; the last one gives it back. */
void frame_drop(struct cpu *cpu, uint64_t gpa);
unsigned frame_users(const struct cpu *cpu, uint64_t gpa);

#endif
