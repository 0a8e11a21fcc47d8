/* SPDX-License-Identifier: Apache-2.0 */
/* Address spaces: the model that a vCPU keeps of its own, and the tables that go with it. */
#ifndef PTARMIGAN_SANDBOX_GUEST_SPACE_H
#define PTARMIGAN_SANDBOX_GUEST_SPACE_H

#include "guest/cpu.h"

/* Linear address of a page, and the gpa of its entry; the region's page table exists. */
uint64_t space_va(const struct cpu *cpu, unsigned region, unsigned page);
uint64_t space_entry(const struct space *space, unsigned region, unsigned page);

/* What the page's entry is to be, as the model has it. */
uint64_t page_entry(const struct page *page);

/* Makes and links the missing tables down to the region's page directory, or its page table. */
void space_ensure_directory(struct cpu *cpu, struct space *space, unsigned region);
void space_ensure_table(struct cpu *cpu, struct space *space, unsigned region);

/* Unlinks and gives back the region's empty page table, and the tables above that are empty with it. */
void space_release_table(struct cpu *cpu, struct space *space, unsigned region);
/* The same from the page directory up, once nothing in it is in use. */
void space_release_directory(struct cpu *cpu, struct space *space, unsigned region);

/* gpa of the region's page-directory entry; the directory exists. */
uint64_t space_pd_entry(const struct space *space, unsigned region);

/* Moves a table of the region to another page: 0 its page table, 1 the directory, 2 the directory-pointer table. */
void space_move_table(struct cpu *cpu, struct space *space, unsigned region, unsigned level);

/* Walks the tables down to the page and holds each entry against the model. */
void space_check(struct cpu *cpu, const struct space *space, unsigned region, unsigned page);

/* True where a page of the region is not PAGE_NONE. */
bool region_in_use(const struct region *region);

#endif
