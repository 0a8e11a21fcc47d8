/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/space.h"

#include "guest/pool.h"
#include "guest/store.h"
#include "guest/user.h"

static const uint64_t link_bits = PTE_P | PTE_RW | PTE_US;

static unsigned directory_of(unsigned region) {
  return region < 3 ? 0 : region < 5 ? 1 : 2;
}

uint64_t space_va(const struct cpu *cpu, unsigned region, unsigned page) {
  return guest_user_va((unsigned)cpu->id, region, page);
}

uint64_t space_entry(const struct space *space, unsigned region, unsigned page) {
  return space->regions[region].table + (guest_pt_index(region) + page) * 8;
}

static uint64_t root_entry(const struct cpu *cpu, const struct space *space) {
  return space->root + (GUEST_USER_VA / GUEST_SLOT_BYTES + cpu->id) * 8;
}

static uint64_t pdpt_entry(const struct space *space, unsigned region) {
  return space->pdpt + guest_pdpt_index(region) * 8;
}

uint64_t space_pd_entry(const struct space *space, unsigned region) {
  return space->directories[directory_of(region)] + guest_pd_index(region) * 8;
}

uint64_t page_entry(const struct page *page) {
  switch (page->state) {
    case PAGE_MAPPED:
      return page->gpa | PTE_P | PTE_US | PTE_NX | page->soft | (page->writable && !page->cow ? PTE_RW : 0);
    case PAGE_SWAPPED:
      return (page->tag & 0xffffffffffull) << 12 | 0x400; /* bits 0 and 5 to 8 stay clear */
    default:
      return 0;
  }
}

bool region_in_use(const struct region *region) {
  for (unsigned i = 0; i < GUEST_PAGES; i++) {
    if (region->pages[i].state != PAGE_NONE) {
      return true;
    }
  }
  return false;
}

void space_ensure_directory(struct cpu *cpu, struct space *space, unsigned region) {
  uint64_t *directory = &space->directories[directory_of(region)];
  if (space->pdpt == 0) {
    space->pdpt = table_take(cpu);
    store_entry(cpu, root_entry(cpu, space), 0, space->pdpt | link_bits);
  }
  if (*directory == 0) {
    *directory = table_take(cpu);
    store_entry(cpu, pdpt_entry(space, region), 0, *directory | link_bits);
  }
}

void space_ensure_table(struct cpu *cpu, struct space *space, unsigned region) {
  struct region *it = &space->regions[region];
  space_ensure_directory(cpu, space, region);
  if (it->table == 0) {
    it->table = table_take(cpu);
    it->kind = REGION_SMALL;
    store_entry(cpu, space_pd_entry(space, region), 0, it->table | link_bits);
  }
}

static bool directory_in_use(const struct space *space, unsigned directory) {
  for (unsigned i = 0; i < GUEST_REGIONS; i++) {
    if (directory_of(i) == directory && space->regions[i].kind != REGION_EMPTY) {
      return true;
    }
  }
  return false;
}

void space_release_directory(struct cpu *cpu, struct space *space, unsigned region) {
  unsigned directory = directory_of(region);
  uint64_t gpa = space->directories[directory];
  if (gpa == 0 || directory_in_use(space, directory)) {
    return;
  }
  store_entry(cpu, pdpt_entry(space, region), gpa | link_bits, 0);
  user_invalidate(cpu, space_va(cpu, region, 0));
  space->directories[directory] = 0;
  table_give(cpu, gpa);
  for (unsigned i = 0; i < DIRECTORIES; i++) {
    if (space->directories[i] != 0) {
      return;
    }
  }
  store_entry(cpu, root_entry(cpu, space), space->pdpt | link_bits, 0);
  table_give(cpu, space->pdpt);
  space->pdpt = 0;
}

void space_release_table(struct cpu *cpu, struct space *space, unsigned region) {
  struct region *it = &space->regions[region];
  store_entry(cpu, space_pd_entry(space, region), it->table | link_bits, 0);
  user_invalidate(cpu, space_va(cpu, region, 0));
  table_give(cpu, it->table);
  it->table = 0;
  it->kind = REGION_EMPTY;
  space_release_directory(cpu, space, region);
}

/* Copies what is in use, entry by entry; the old page is cleared once nothing leads to it. */
static uint64_t copy_table(struct cpu *cpu, uint64_t from, uint64_t parent_entry) {
  uint64_t to = table_take(cpu);
  for (unsigned i = 0; i < GUEST_ENTRIES; i++) {
    uint64_t entry = direct(from)[i] & ~PTE_AD;
    if (entry != 0) {
      store_entry(cpu, to + i * 8, 0, entry);
    }
  }
  store_entry(cpu, parent_entry, from | link_bits, to | link_bits);
  return to;
}

static void clear_table(struct cpu *cpu, uint64_t gpa) {
  for (unsigned i = 0; i < GUEST_ENTRIES; i++) {
    uint64_t entry = direct(gpa)[i] & ~PTE_AD;
    if (entry != 0) {
      store_entry(cpu, gpa + i * 8, entry, 0);
    }
  }
  table_give(cpu, gpa);
}

void space_move_table(struct cpu *cpu, struct space *space, unsigned region, unsigned level) {
  uint64_t *table = level == 0   ? &space->regions[region].table
                    : level == 1 ? &space->directories[directory_of(region)]
                                 : &space->pdpt;
  uint64_t parent = level == 0   ? space_pd_entry(space, region)
                    : level == 1 ? pdpt_entry(space, region)
                                 : root_entry(cpu, space);
  uint64_t old = *table;
  *table = copy_table(cpu, old, parent);
  user_switch(cpu, space); /* all translations below went over the old table */
  clear_table(cpu, old);
}

static void check_entry(struct cpu *cpu, uint64_t gpa, uint64_t expected) {
  check_equal(cpu, CHECK_ENTRY, expected, *direct(gpa) & ~PTE_AD);
}

void space_check(struct cpu *cpu, const struct space *space, unsigned region, unsigned page) {
  const struct region *it = &space->regions[region];
  if (cpu->reference || it->table == 0) {
    return;
  }
  check_entry(cpu, root_entry(cpu, space), space->pdpt | link_bits);
  check_entry(cpu, pdpt_entry(space, region), space->directories[directory_of(region)] | link_bits);
  check_entry(cpu, space_pd_entry(space, region), it->table | link_bits);
  check_entry(cpu, space_entry(space, region, page), page_entry(&it->pages[page]));
}
