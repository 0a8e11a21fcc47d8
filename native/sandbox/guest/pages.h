/* SPDX-License-Identifier: Apache-2.0 */
/* What a kernel does to single pages and small groups of them. region's kind is EMPTY or SMALL throughout. */
#ifndef PTARMIGAN_SANDBOX_GUEST_PAGES_H
#define PTARMIGAN_SANDBOX_GUEST_PAGES_H

#include "guest/cpu.h"

void page_map(struct cpu *cpu, struct space *space, unsigned region, unsigned page);
void page_unmap(struct cpu *cpu, struct space *space, unsigned region, unsigned page);
/* Writable to read-only and back; software bits change with it. */
void page_protect(struct cpu *cpu, struct space *space, unsigned region, unsigned page);
void page_swap_out(struct cpu *cpu, struct space *space, unsigned region, unsigned page);
void page_swap_in(struct cpu *cpu, struct space *space, unsigned region, unsigned page);
/* Looks whether it was used, as reclaim does: clears A, or A and D. */
void page_age(struct cpu *cpu, const struct space *space, unsigned region, unsigned page);
/* To another frame, without being unmapped in between. */
void page_migrate(struct cpu *cpu, struct space *space, unsigned region, unsigned page);
/* Writes to the page as user code does, with copy-on-write where it is due. */
void page_write(struct cpu *cpu, struct space *space, unsigned region, unsigned page);
/* Reads it as user code does and expects what the model says, faults included. */
void page_read(struct cpu *cpu, const struct space *space, unsigned region, unsigned page);

/* count neighbouring pages from page on at once: one REP STOS. */
void pages_unmap(struct cpu *cpu, struct space *space, unsigned region, unsigned page, unsigned count);
/* Two unmapped neighbours by one 16-byte store. */
void pages_map_pair(struct cpu *cpu, struct space *space, unsigned region, unsigned page);
/* High software bits of one mapped page and low ones of the next by one unaligned store. */
void pages_mark_across(struct cpu *cpu, struct space *space, unsigned region, unsigned page);
/* The whole region by R/W of its page-directory entry, and back. */
void pages_protect_all(struct cpu *cpu, struct space *space, unsigned region, unsigned page);

#endif
