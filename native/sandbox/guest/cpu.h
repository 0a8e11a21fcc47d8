/* SPDX-License-Identifier: Apache-2.0 */
/* What a vCPU of the guest keeps: its block at the GS base. Nothing in it is touched by another vCPU. */
#ifndef PTARMIGAN_SANDBOX_GUEST_CPU_H
#define PTARMIGAN_SANDBOX_GUEST_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/boot.h"
#include "guest/offsets.h"

/* General registers in instruction-encoding order. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, GPR_COUNT };

struct registers {
  uint64_t gpr[GPR_COUNT];
  uint64_t rflags;
};

enum page_state { PAGE_NONE, PAGE_MAPPED, PAGE_SWAPPED };

/* One page of user space as the guest means it to be. */
struct page {
  uint8_t state; /* enum page_state */
  bool writable; /* wanted: a copy-on-write page is mapped read-only all the same */
  bool cow;      /* its frame may be shared with the other space */
  uint64_t soft; /* software bits of the entry */
  uint64_t gpa;  /* of its frame */
  uint64_t tag;  /* what its content is made from */
};

enum region_kind { REGION_EMPTY, REGION_SMALL, REGION_LARGE, REGION_SPLIT };

struct region {
  uint8_t kind;   /* enum region_kind */
  uint64_t table; /* gpa of its page table; 0 none */
  struct page pages[GUEST_PAGES];
};

enum { DIRECTORIES = 3 };

/* An address space. */
struct space {
  uint64_t root;
  uint64_t pdpt;                     /* 0 none, like the following */
  uint64_t directories[DIRECTORIES]; /* page directories by directory_of(region) */
  struct region regions[GUEST_REGIONS];
};

enum { SHARED_OWN = 24, SHARED_COUNTERS = 16 };

/* This vCPU's part in what all vCPUs write, see shared.c. */
struct shared_part {
  uint64_t own[SHARED_OWN];  /* entries that it owns: what their bits but the software ones are */
  uint64_t tags[SHARED_OWN]; /* and what the content of their pages is made from */
  uint32_t soft[SHARED_OWN]; /* bit n: its software bit is set in vCPU n's entry of that number */
  uint32_t soft_upper;       /* likewise in the entries that lead there */
  uint64_t added[SHARED_COUNTERS];
  uint64_t compared;        /* successful exchanges by CMPXCHG */
  uint64_t compared8b;      /* and by CMPXCHG8B */
  uint64_t sections;        /* critical sections */
  volatile uint64_t tokens; /* tokens put into the exchange */
  uint64_t tokens_in;       /* their sum */
  uint64_t tokens_out;      /* sum of those taken out */
};

struct cpu {
  struct registers in;
  struct registers out;
  uint64_t stack; /* rsp when the last instruction routine had saved its caller's registers */
  uint64_t id;
  struct guest_boot_cpu *boot;
  bool reference;
  uint64_t random;         /* what decides; the same in both runs */
  uint64_t junk;           /* what fills registers that do not matter */
  uint64_t private_writes; /* planned, see shared.h */
  uint64_t shared_writes;
  uint64_t tables[GUEST_CPU_TABLES]; /* free page-table pages, all zero */
  uint64_t table_count;
  uint16_t frames[GUEST_CPU_FRAMES]; /* free frames */
  uint64_t frame_count;
  uint8_t frame_users[GUEST_CPU_FRAMES];
  struct space main;
  struct space child;
  struct shared_part shared;
  uint64_t work_table; /* of work.c; 0 none yet */
  _Alignas(16) uint64_t shadow[GUEST_ENTRIES + 8];
  uint64_t source[2]; /* what string moves copy from */
};

_Static_assert(offsetof(struct cpu, in) == CPU_IN, "CPU_IN");
_Static_assert(offsetof(struct cpu, out) == CPU_OUT, "CPU_OUT");
_Static_assert(offsetof(struct cpu, stack) == CPU_STACK, "CPU_STACK");
_Static_assert(sizeof(struct cpu) <= CPU_BYTES, "CPU_BYTES");

extern struct guest_boot guest_boot;

/* The block of vCPU id, whose owner may be at work on it. */
struct cpu *cpu_block(uint64_t id);

/* What can be found wrong: guest_boot_cpu.first_failure[0]. */
enum guest_check {
  CHECK_REGISTER = 1, /* a register after an instruction on a table */
  CHECK_FLAGS,
  CHECK_MEMORY,    /* the entry after it */
  CHECK_DATA,      /* user memory through a translation */
  CHECK_FAULT,     /* a page fault that should not have been, or the other way round */
  CHECK_DENIED,    /* the denied page's entry */
  CHECK_ENTRY,     /* an entry found by walking the tables */
  CHECK_COUNTER,   /* a sum over all vCPUs */
  CHECK_EXCHANGE,  /* a value that nobody wrote */
  CHECK_EXCLUSION, /* two in a critical section */
  CHECK_EXHAUSTED  /* no page-table page or frame left */
};

/* Counts a failed check and remembers the first. */
void check_failed(struct cpu *cpu, enum guest_check check, uint64_t expected, uint64_t found);

static inline void check_equal(struct cpu *cpu, enum guest_check check, uint64_t expected, uint64_t found) {
  if (expected != found) {
    check_failed(cpu, check, expected, found);
  }
}

static inline uint64_t xorshift(uint64_t *state) {
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  *state = x;
  return x;
}

/* 0 to bound - 1 of the deciding stream. */
static inline uint64_t random_below(struct cpu *cpu, uint64_t bound) {
  return (xorshift(&cpu->random) >> 16) % bound;
}

/* The frame or table at gpa through the direct map. */
static inline volatile uint64_t *direct(uint64_t gpa) {
  return (volatile uint64_t *)(GUEST_DIRECT_VA + gpa);
}

#endif
