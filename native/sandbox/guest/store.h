/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing page-table entries, with any instruction that does it. Each write is done twice: on the table, and on a copy
 * in ordinary memory where the processor does it undisturbed. Memory, registers and defined flags must agree. A and D
 * bits may appear in a present entry at any time; all combinations that this leaves possible are tried.
 */
#ifndef PTARMIGAN_SANDBOX_GUEST_STORE_H
#define PTARMIGAN_SANDBOX_GUEST_STORE_H

#include "guest/cpu.h"

/* Changes the vCPU's own entry at gpa, meant to be old (A/D aside), to value. */
void store_entry(struct cpu *cpu, uint64_t gpa, uint64_t old, uint64_t value);

/* Changes the bits own, which nobody else changes, of an entry that others write too: old to value, within own. */
void store_shared(struct cpu *cpu, uint64_t gpa, uint64_t own, uint64_t old, uint64_t value);

/* Clears A, or A and D, of a present entry of which the bits own are the vCPU's: what page reclaim does. */
void store_age(struct cpu *cpu, uint64_t gpa, uint64_t own);

/* Sets count entries from gpa to value by REP STOS, upwards or downwards. */
void store_range(struct cpu *cpu, uint64_t gpa, uint64_t count, uint64_t value, bool down);

/* Sets the entries at gpa and gpa + 8 by one 16-byte store, or by two moves of one REP MOVS. */
void store_pair(struct cpu *cpu, uint64_t gpa, uint64_t low, uint64_t high);

/* By one unaligned 16-byte store in any case. */
void store_sixteen(struct cpu *cpu, uint64_t gpa, uint64_t low, uint64_t high);

/* Changes the upper half of the entry at gpa and the lower half of the next by one unaligned store. */
void store_across(struct cpu *cpu, uint64_t gpa, uint64_t old[2], uint64_t value[2]);

/*
 * Single attempts on contended entries, which are never present: any vCPU may write them at any time. They return what
 * the entry held. store_add adds by XADD, ADD or SUB and returns nothing.
 */
uint64_t store_compare(struct cpu *cpu, uint64_t gpa, uint64_t expected, uint64_t value);
uint64_t store_compare8b(struct cpu *cpu, uint64_t gpa, uint64_t expected, uint64_t value);
uint64_t store_exchange(struct cpu *cpu, uint64_t gpa, uint64_t value);
void store_add(struct cpu *cpu, uint64_t gpa, uint64_t value);
void store_xadd(struct cpu *cpu, uint64_t gpa, uint64_t value);
/* LOCK BTC of a bit that nobody else changes. */
void store_complement(struct cpu *cpu, uint64_t gpa, unsigned bit);
/* A plain MOV, without a choice from the random stream, while the caller alone writes the entry. */
void store_plain(struct cpu *cpu, uint64_t gpa, uint64_t value);
/* A segment register into one of the upper three quarters of an entry that the caller alone writes. */
void store_selector(struct cpu *cpu, uint64_t gpa);
/* Sets or clears a bit under LOCK; returns whether it was set before. */
bool store_bit(struct cpu *cpu, uint64_t gpa, unsigned bit, bool set);

/*
 * As store_entry, where the monitor is expected to let all of the instruction happen but the write. Often by PUSH,
 * which a monitor can't tell from an interrupt frame and has to let the processor execute before it can deny it.
 */
void store_denied(struct cpu *cpu, uint64_t gpa, uint64_t old, uint64_t value);

#endif
