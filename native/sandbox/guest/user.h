/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's own user memory, and privileged instructions. All do nothing in the reference run. */
#ifndef PTARMIGAN_SANDBOX_GUEST_USER_H
#define PTARMIGAN_SANDBOX_GUEST_USER_H

#include "guest/cpu.h"

/* entry.S */
struct user_result {
  uint64_t value;
  uint64_t error; /* page-fault error code; 0 none */
};
struct user_result user_load(uint64_t va);
uint64_t user_store(uint64_t va, uint64_t value); /* page-fault error code; 0 none */
void invalidate_page(uint64_t va);
void load_root(uint64_t cr3);
void yield(void);

/* invlpg */
void user_invalidate(struct cpu *cpu, uint64_t va);
/* mov to CR3 */
void user_switch(struct cpu *cpu, const struct space *space);

/* Loads from and stores to the page and expects the page fault with that error code, or none where it is 0. */
void user_expect_load(struct cpu *cpu, uint64_t va, uint64_t error);
void user_expect_store(struct cpu *cpu, uint64_t va, uint64_t error);

/* Writes content made from tag through the page's translation, and reads it back. */
void user_write_page(struct cpu *cpu, uint64_t va, uint64_t tag);
void user_read_page(struct cpu *cpu, uint64_t va, uint64_t tag);

/* The same on the frame behind the page's back; scrub leaves what no tag makes. */
void frame_write(struct cpu *cpu, uint64_t gpa, uint64_t tag);
void frame_read(struct cpu *cpu, uint64_t gpa, uint64_t tag);
void frame_scrub(struct cpu *cpu, uint64_t gpa);

#endif
