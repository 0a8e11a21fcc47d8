/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine and the guest it runs agree on: where things lie in guest-physical and guest-linear memory, and the
 * boot block through which the machine starts the guest and the guest says what it saw. All addresses are bytes.
 *
 * Guest-physical memory, from 0:
 *   image    the guest's code and data, GUEST_IMAGE_BYTES
 *   pool     every page-table page: GUEST_FIXED_TABLES, then GUEST_CPU_TABLES for each vCPU
 *   stacks   GUEST_STACK_BYTES for each vCPU
 *   frames   GUEST_CPU_FRAMES data frames for each vCPU
 *   blocks   one aligned 2 MiB block for each vCPU
 */
#ifndef PTARMIGAN_SANDBOX_GUEST_BOOT_H
#define PTARMIGAN_SANDBOX_GUEST_BOOT_H

#include <stdint.h>

#define GUEST_MAX_VCPUS 12
#define GUEST_PAGE 4096ull
#define GUEST_LARGE_PAGE 0x200000ull
#define GUEST_ENTRIES 512

#define GUEST_IMAGE_BYTES GUEST_LARGE_PAGE
#define GUEST_POOL_GPA GUEST_IMAGE_BYTES
#define GUEST_SHARED_TABLES 4
#define GUEST_CPU_TABLES 48
#define GUEST_STACK_BYTES 0x10000ull
#define GUEST_CPU_FRAMES 256

/* Guest-linear memory: one 512 GiB slot of the root table for each purpose, all in the lower half, because the guest
 * runs as user code of the machine's process. */
#define GUEST_IMAGE_VA 0x40000000ull      /* slot 0: the image, 4 KiB pages */
#define GUEST_DIRECT_VA 0x100000000000ull /* slot 32: all guest-physical memory, 2 MiB pages */
#define GUEST_SHARED_VA 0x108000000000ull /* slot 33: tables that all vCPUs write */
#define GUEST_DENIED_VA 0x110000003000ull /* slot 34: the page that the monitor keeps read-only; vCPU 0 only */
#define GUEST_USER_VA 0x200000000000ull   /* slot 64 + n: user space of vCPU n */
#define GUEST_SLOT_BYTES 0x8000000000ull

/* Page-table entries: SDM vol. 3A section 4.5. */
#define PTE_P (1ull << 0)
#define PTE_RW (1ull << 1)
#define PTE_US (1ull << 2)
#define PTE_A (1ull << 5)
#define PTE_D (1ull << 6)
#define PTE_PS (1ull << 7)
#define PTE_NX (1ull << 63)
#define PTE_AD (PTE_A | PTE_D)
#define PTE_FRAME 0x000ffffffffff000ull

/* Page-fault error code: SDM vol. 3A section 4.7. */
#define FAULT_PRESENT 1ull
#define FAULT_WRITE 2ull
#define FAULT_USER 4ull

/* Page-table pages of fixed use, by index into the pool. */
enum guest_fixed_table {
  TABLE_IMAGE_PDPT,
  TABLE_IMAGE_PD,
  TABLE_IMAGE_PT,
  TABLE_DIRECT_PDPT,
  TABLE_DIRECT_PD,
  TABLE_SHARED_PDPT,
  TABLE_SHARED_PD,
  TABLE_SHARED_PT, /* GUEST_SHARED_TABLES of them */
  TABLE_CONTENDED = TABLE_SHARED_PT + GUEST_SHARED_TABLES,
  TABLE_DENIED_PDPT,
  TABLE_DENIED_PD,
  TABLE_DENIED_PT,
  GUEST_FIXED_TABLES
};

/* User space of a vCPU: GUEST_REGIONS page tables' worth of addresses, GUEST_PAGES neighbouring pages used in each.
 * Three regions share a page directory, two another, the last, with the 2 MiB page, has its own. */
#define GUEST_REGIONS 6
#define GUEST_PAGES 16
#define GUEST_LARGE_REGION 5

static inline unsigned guest_pdpt_index(unsigned region) {
  return region < 3 ? 0 : region < 5 ? 511 : 7;
}

static inline unsigned guest_pd_index(unsigned region) {
  return region == 2 || region == 4 ? 511 : region == 5 ? 3 : region;
}

/* Of the region's first page. Two regions end with the last entry of their table. */
static inline unsigned guest_pt_index(unsigned region) {
  return region == 2 || region == 4 ? GUEST_ENTRIES - GUEST_PAGES : region * 24;
}

static inline uint64_t guest_user_va(unsigned vcpu, unsigned region, unsigned page) {
  return GUEST_USER_VA + vcpu * GUEST_SLOT_BYTES + ((uint64_t)guest_pdpt_index(region) << 30) +
         ((uint64_t)guest_pd_index(region) << 21) + ((uint64_t)(guest_pt_index(region) + page) << 12);
}

/* Start of the image, written by the guest's linker. */
struct guest_header {
  uint64_t magic;      /* GUEST_MAGIC */
  uint64_t entry;      /* linear address at which vCPUs start, with rdi = vCPU number */
  uint64_t page_fault; /* where a page fault goes, with rdx = error code */
  uint64_t text_end;   /* linear address; read-only and executable below */
  uint64_t image_end;  /* linear address */
  uint64_t boot;       /* linear address of struct guest_boot */
  uint64_t cpus;       /* linear address of the vCPUs' own blocks: the GS base of vCPU n is cpus + n * cpu_bytes */
  uint64_t cpu_bytes;
};

#define GUEST_MAGIC 0x31545355474d5450ull

struct guest_boot_cpu {
  /* Written by the machine. */
  uint64_t cr3;
  uint64_t tables_gpa; /* GUEST_CPU_TABLES pages; the first is the root */
  uint64_t frames_gpa;
  uint64_t block_gpa;
  uint64_t rounds_limit;
  /* Written by the guest. */
  uint64_t rounds;
  uint64_t stores;           /* protected stores: instructions, for REP elements */
  uint64_t failed_checks;    /* of everything the vCPU looks at */
  uint64_t denied;           /* attempts to make GUEST_DENIED_VA writable that left it read-only, as expected */
  uint64_t first_failure[4]; /* enum guest_check, round, expected, found */
};

enum guest_stop {
  GUEST_GOES_ON = 0,
  GUEST_STOPS = 1,   /* each vCPU after the operation that it is at */
  GUEST_GIVES_UP = 2 /* a vCPU crashed: nobody waits for another any more */
};

/* What vCPUs do. */
enum guest_work {
  GUEST_ALL = 0, /* everything, and the page that the monitor keeps read-only is tried */
  GUEST_OPEN,    /* everything; that page is left alone */
  GUEST_XADD,    /* only this instruction, like the following: all on the same entries */
  GUEST_BTC,
  GUEST_XCHG,
  GUEST_STOS, /* REP STOS of up to 12 entries of the vCPU's own */
  GUEST_PAIR, /* 16-byte stores to two entries of its own */
  GUEST_WORKS
};

struct guest_boot {
  /* Written by the machine. */
  uint64_t vcpus;
  uint64_t seed;
  uint64_t work;          /* enum guest_work */
  uint64_t reference;     /* 1: the same table stores without data, checks and address-space switches */
  volatile uint64_t stop; /* enum guest_stop */
  /* Both. */
  struct guest_boot_cpu cpu[GUEST_MAX_VCPUS];
};

static inline uint64_t guest_pool_bytes(unsigned vcpus) {
  return (GUEST_FIXED_TABLES + (uint64_t)vcpus * GUEST_CPU_TABLES) * GUEST_PAGE;
}

static inline uint64_t guest_stacks_gpa(unsigned vcpus) {
  return GUEST_POOL_GPA + guest_pool_bytes(vcpus);
}

static inline uint64_t guest_frames_gpa(unsigned vcpus) {
  return guest_stacks_gpa(vcpus) + vcpus * GUEST_STACK_BYTES;
}

static inline uint64_t guest_blocks_gpa(unsigned vcpus) {
  uint64_t end = guest_frames_gpa(vcpus) + (uint64_t)vcpus * GUEST_CPU_FRAMES * GUEST_PAGE;
  return (end + GUEST_LARGE_PAGE - 1) & ~(GUEST_LARGE_PAGE - 1);
}

static inline uint64_t guest_ram_bytes(unsigned vcpus) {
  return guest_blocks_gpa(vcpus) + vcpus * GUEST_LARGE_PAGE;
}

#endif
