/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's work: operations of random kinds on its own address spaces and on tables shared by all vCPUs. */
#include "guest/cpu.h"
#include "guest/pages.h"
#include "guest/pool.h"
#include "guest/shared.h"
#include "guest/space.h"
#include "guest/spaces.h"
#include "guest/store.h"
#include "guest/user.h"
#include "guest/work.h"

enum { DENIED_EVERY = 32, SHARED_PARTS = 3, ALL_PARTS = 10, PRIVATE_KINDS = 64, AGED_TOGETHER = 4 };

struct guest_boot guest_boot = {.vcpus = 0};

/* For the header, which says where it is. */
union cpu_memory {
  struct cpu cpu;
  uint8_t bytes[CPU_BYTES];
} guest_cpus[GUEST_MAX_VCPUS] __attribute__((aligned(64)));

static uint64_t finished; /* vCPUs */

struct cpu *cpu_block(uint64_t id) {
  return &guest_cpus[id].cpu;
}

/* The compiler may call these whatever it is told. */
void *memset(void *to, int value, size_t bytes);
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);

void *memset(void *to, int value, size_t bytes) {
  void *at = to;
  __asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
  return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
  void *at = to;
  __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
  return to;
}

void check_failed(struct cpu *cpu, enum guest_check check, uint64_t expected, uint64_t found) {
  if (cpu->boot->failed_checks++ == 0) {
    cpu->boot->first_failure[0] = check;
    cpu->boot->first_failure[1] = cpu->boot->rounds;
    cpu->boot->first_failure[2] = expected;
    cpu->boot->first_failure[3] = found;
  }
}

/* The page at GUEST_DENIED_VA is mapped read-only, and the monitor does not let that change. */
static void try_denied(struct cpu *cpu) {
  uint64_t entry_gpa =
      GUEST_POOL_GPA + TABLE_DENIED_PT * GUEST_PAGE + (GUEST_DENIED_VA / GUEST_PAGE % GUEST_ENTRIES) * 8;
  uint64_t entry = cpu->boot->frames_gpa | PTE_P | PTE_US | PTE_NX;
  store_denied(cpu, entry_gpa, entry, entry | PTE_RW);
  user_invalidate(cpu, GUEST_DENIED_VA);
  user_expect_store(cpu, GUEST_DENIED_VA, FAULT_USER | FAULT_PRESENT | FAULT_WRITE);
  uint64_t found = *direct(entry_gpa) & ~PTE_AD;
  if (found == entry) {
    cpu->boot->denied++;
  } else {
    store_plain(cpu, entry_gpa, entry); /* already counted as a failed check; the run goes on as it should */
  }
}

static bool both(const struct region *region, unsigned page, enum page_state state) {
  return page + 1 < GUEST_PAGES && region->pages[page].state == state && region->pages[page + 1].state == state;
}

static void empty_region(struct cpu *cpu, unsigned region) {
  struct region *it = &cpu->main.regions[region];
  if (it->table == 0) {
    return;
  }
  if (random_below(cpu, 2) == 0) {
    pages_unmap(cpu, &cpu->main, region, 0, GUEST_PAGES);
  }
  for (unsigned page = 0; page < GUEST_PAGES; page++) {
    if (it->pages[page].state != PAGE_NONE) {
      page_unmap(cpu, &cpu->main, region, page);
    }
  }
  space_release_table(cpu, &cpu->main, region);
}

/* The page and its neighbours, as a scan for pages to reclaim would. */
static void age_pages(struct cpu *cpu, unsigned region, unsigned page) {
  unsigned first = page - page % AGED_TOGETHER;
  for (unsigned i = first; i < first + AGED_TOGETHER; i++) {
    if (cpu->main.regions[region].pages[i].state == PAGE_MAPPED) {
      page_age(cpu, &cpu->main, region, i);
    }
  }
}

static void page_step(struct cpu *cpu, unsigned region, unsigned page, uint64_t kind) {
  struct space *space = &cpu->main;
  struct region *in = &space->regions[region];
  struct page *it = &in->pages[page];
  if (it->state == PAGE_MAPPED) {
    age_pages(cpu, region, page);
  }
  if (it->state == PAGE_NONE) {
    if (in->table != 0 && both(in, page, PAGE_NONE) && kind % 8 == 0) {
      pages_map_pair(cpu, space, region, page);
    } else {
      page_map(cpu, space, region, page);
    }
  } else if (it->state == PAGE_SWAPPED) {
    page_swap_in(cpu, space, region, page);
  } else if (kind < 10) {
    page_unmap(cpu, space, region, page);
  } else if (kind < 20) {
    page_protect(cpu, space, region, page);
  } else if (kind < 28) {
    page_swap_out(cpu, space, region, page);
  } else if (kind < 36) {
    page_migrate(cpu, space, region, page);
  } else if (kind < 40 && both(in, page, PAGE_MAPPED)) {
    pages_mark_across(cpu, space, region, page);
  } else if (kind < 43) {
    pages_unmap(cpu, space, region, page, 1 + (unsigned)random_below(cpu, GUEST_PAGES - page));
  } else if (kind < 45) {
    pages_protect_all(cpu, space, region, page);
  } else {
    page_write(cpu, space, region, page);
  }
}

static void private_step(struct cpu *cpu) {
  unsigned region = (unsigned)random_below(cpu, GUEST_LARGE_REGION);
  unsigned page = (unsigned)random_below(cpu, GUEST_PAGES);
  uint64_t rare = random_below(cpu, 256);
  if (rare == 0) {
    fork_live_exit(cpu);
  } else if (rare <= 8) {
    large_page_step(cpu);
  } else if (rare <= 12) {
    empty_region(cpu, region);
  } else if (rare <= 16 && cpu->main.regions[region].table != 0) {
    space_move_table(cpu, &cpu->main, region, (unsigned)random_below(cpu, 3));
    page_read(cpu, &cpu->main, region, page);
  } else {
    page_step(cpu, region, page, random_below(cpu, PRIVATE_KINDS));
  }
}

static void init(struct cpu *cpu, uint64_t id) {
  cpu->id = id;
  cpu->boot = &guest_boot.cpu[id];
  cpu->reference = guest_boot.reference != 0;
  cpu->random = (guest_boot.seed + 1) * 0x9e3779b97f4a7c15ull ^ (id + 1) * 0xd1342543de82ef95ull;
  cpu->random |= cpu->random == 0;
  cpu->junk = 0x2545f4914f6cdd1dull + id;
  cpu->main.root = cpu->boot->cr3;
  pool_init(cpu);
}

static void all_step(struct cpu *cpu) {
  private_step(cpu);
  while (cpu->shared_writes * ALL_PARTS < (cpu->private_writes + cpu->shared_writes) * SHARED_PARTS) {
    shared_step(cpu);
  }
  if (guest_boot.work == GUEST_ALL && cpu->id == 0 && cpu->boot->rounds % DENIED_EVERY == 0) {
    try_denied(cpu);
  }
}

void guest_main(uint64_t id);

void guest_main(uint64_t id) {
  struct cpu *cpu = cpu_block(id);
  init(cpu, id);
  while (guest_boot.stop == GUEST_GOES_ON && cpu->boot->rounds < cpu->boot->rounds_limit) {
    if (guest_boot.work <= GUEST_OPEN) {
      all_step(cpu);
    } else {
      work_step(cpu);
    }
    cpu->boot->rounds++;
  }
  if (__atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST) == guest_boot.vcpus) {
    shared_finish(cpu);
  }
}
