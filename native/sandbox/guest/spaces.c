/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/spaces.h"

#include "guest/pages.h"
#include "guest/pool.h"
#include "guest/space.h"
#include "guest/store.h"
#include "guest/user.h"

enum { CHILD_ACTIONS = 6, LARGE_SAMPLES = 4 };

static const uint64_t kernel_slots[] = {GUEST_IMAGE_VA / GUEST_SLOT_BYTES, GUEST_DIRECT_VA / GUEST_SLOT_BYTES,
                                        GUEST_SHARED_VA / GUEST_SLOT_BYTES};
enum { KERNEL_SLOTS = sizeof(kernel_slots) / sizeof(kernel_slots[0]) };

static uint64_t kernel_entry(const struct cpu *cpu, unsigned i) {
  return direct(cpu->main.root)[kernel_slots[i]] & ~PTE_AD;
}

static void make_root(struct cpu *cpu, struct space *space) {
  space->root = table_take(cpu);
  for (unsigned i = 0; i < KERNEL_SLOTS; i++) {
    store_entry(cpu, space->root + kernel_slots[i] * 8, 0, kernel_entry(cpu, i));
  }
}

/* Both spaces share the frame from here, each with an entry that does not let it write. */
static void share_page(struct cpu *cpu, unsigned region, unsigned page) {
  struct page *parent = &cpu->main.regions[region].pages[page];
  struct page *child = &cpu->child.regions[region].pages[page];
  uint64_t old = page_entry(parent);
  if (parent->state == PAGE_NONE) {
    return;
  }
  space_ensure_table(cpu, &cpu->child, region);
  if (parent->state == PAGE_MAPPED) {
    frame_share(cpu, parent->gpa);
    if (parent->writable && !parent->cow) {
      parent->cow = true;
      store_entry(cpu, space_entry(&cpu->main, region, page), old, page_entry(parent));
      user_invalidate(cpu, space_va(cpu, region, page));
    }
    parent->cow = true;
  }
  *child = *parent;
  store_entry(cpu, space_entry(&cpu->child, region, page), 0, page_entry(child));
}

static void act(struct cpu *cpu, struct space *space) {
  unsigned region = (unsigned)random_below(cpu, GUEST_LARGE_REGION);
  unsigned page = (unsigned)random_below(cpu, GUEST_PAGES);
  struct page *it = &space->regions[region].pages[page];
  switch (random_below(cpu, 4)) {
    case 0:
      page_read(cpu, space, region, page);
      break;
    case 1:
      if (it->state != PAGE_NONE) {
        page_unmap(cpu, space, region, page);
        break;
      }
      page_map(cpu, space, region, page);
      break;
    default:
      if (it->state == PAGE_SWAPPED) {
        page_swap_in(cpu, space, region, page);
      }
      page_write(cpu, space, region, page);
  }
}

static void tear_down_region(struct cpu *cpu, struct space *space, unsigned region) {
  if (random_below(cpu, 2) == 0) {
    pages_unmap(cpu, space, region, 0, GUEST_PAGES);
  }
  for (unsigned page = 0; page < GUEST_PAGES; page++) {
    if (space->regions[region].pages[page].state != PAGE_NONE) {
      page_unmap(cpu, space, region, page);
    }
  }
  space_release_table(cpu, space, region);
}

static void exit_child(struct cpu *cpu) {
  struct space *child = &cpu->child;
  for (unsigned region = 0; region < GUEST_LARGE_REGION; region++) {
    if (child->regions[region].table != 0) {
      tear_down_region(cpu, child, region);
    }
  }
  user_switch(cpu, &cpu->main);
  for (unsigned i = 0; i < KERNEL_SLOTS; i++) {
    store_entry(cpu, child->root + kernel_slots[i] * 8, kernel_entry(cpu, i), 0);
  }
  table_give(cpu, child->root);
  child->root = 0;
}

void fork_live_exit(struct cpu *cpu) {
  make_root(cpu, &cpu->child);
  for (unsigned region = 0; region < GUEST_LARGE_REGION; region++) {
    for (unsigned page = 0; page < GUEST_PAGES; page++) {
      share_page(cpu, region, page);
    }
  }
  user_switch(cpu, &cpu->child);
  for (unsigned i = 0; i < CHILD_ACTIONS; i++) {
    act(cpu, &cpu->child);
  }
  user_switch(cpu, &cpu->main);
  for (unsigned i = 0; i < CHILD_ACTIONS; i++) {
    act(cpu, &cpu->main);
  }
  user_switch(cpu, &cpu->child);
  for (unsigned i = 0; i < CHILD_ACTIONS; i++) {
    act(cpu, &cpu->child);
  }
  exit_child(cpu);
}

static const uint64_t small_bits = PTE_P | PTE_RW | PTE_US | PTE_NX;

static uint64_t large_va(const struct cpu *cpu, uint64_t offset) {
  return (space_va(cpu, GUEST_LARGE_REGION, 0) & ~(GUEST_LARGE_PAGE - 1)) + offset;
}

static uint64_t large_leaf(const struct cpu *cpu) {
  return cpu->boot->block_gpa | small_bits | PTE_PS;
}

/* Some pages all over the block, by the tags that the model's pages of this region keep. */
static void touch_block(struct cpu *cpu, bool write) {
  for (unsigned i = 0; i < LARGE_SAMPLES; i++) {
    struct page *sample = &cpu->main.regions[GUEST_LARGE_REGION].pages[i];
    uint64_t offset = (GUEST_ENTRIES - 1) / (LARGE_SAMPLES - 1) * i * GUEST_PAGE;
    if (write) {
      sample->tag = xorshift(&cpu->random);
      user_write_page(cpu, large_va(cpu, offset), sample->tag);
    }
    user_read_page(cpu, large_va(cpu, offset), sample->tag);
    frame_read(cpu, cpu->boot->block_gpa + offset, sample->tag);
  }
}

static void split(struct cpu *cpu, struct region *region, uint64_t pd_entry) {
  region->table = table_take(cpu);
  for (uint64_t i = 0; i < GUEST_ENTRIES; i++) {
    store_entry(cpu, region->table + i * 8, 0, (cpu->boot->block_gpa + i * GUEST_PAGE) | small_bits);
  }
  store_entry(cpu, pd_entry, large_leaf(cpu), region->table | PTE_P | PTE_RW | PTE_US);
  user_invalidate(cpu, large_va(cpu, 0));
  touch_block(cpu, false);
}

/* Takes the right to write away from one small page, and gives it back. */
static void change_part(struct cpu *cpu, const struct region *region) {
  uint64_t index = random_below(cpu, GUEST_ENTRIES);
  uint64_t entry = region->table + index * 8;
  uint64_t value = (cpu->boot->block_gpa + index * GUEST_PAGE) | small_bits;
  uint64_t va = large_va(cpu, index * GUEST_PAGE);
  store_entry(cpu, entry, value, value & ~PTE_RW);
  user_invalidate(cpu, va);
  user_expect_store(cpu, va + 8, FAULT_USER | FAULT_PRESENT | FAULT_WRITE);
  store_entry(cpu, entry, value & ~PTE_RW, value);
  user_invalidate(cpu, va);
  touch_block(cpu, true);
}

static void collapse(struct cpu *cpu, struct region *region, uint64_t pd_entry) {
  store_entry(cpu, pd_entry, region->table | PTE_P | PTE_RW | PTE_US, large_leaf(cpu));
  user_switch(cpu, &cpu->main);
  touch_block(cpu, false);
  store_range(cpu, region->table, GUEST_ENTRIES, 0, false);
  table_give(cpu, region->table);
  region->table = 0;
}

void large_page_step(struct cpu *cpu) {
  struct space *space = &cpu->main;
  struct region *region = &space->regions[GUEST_LARGE_REGION];
  space_ensure_directory(cpu, space, GUEST_LARGE_REGION);
  uint64_t pd_entry = space_pd_entry(space, GUEST_LARGE_REGION);
  uint64_t choice = random_below(cpu, 4);
  if (region->kind == REGION_EMPTY) {
    store_entry(cpu, pd_entry, 0, large_leaf(cpu));
    region->kind = REGION_LARGE;
    touch_block(cpu, true);
  } else if (region->kind == REGION_LARGE && choice == 0) {
    store_entry(cpu, pd_entry, large_leaf(cpu), 0);
    user_invalidate(cpu, large_va(cpu, 0));
    user_expect_load(cpu, large_va(cpu, 0), FAULT_USER);
    region->kind = REGION_EMPTY;
    space_release_directory(cpu, space, GUEST_LARGE_REGION);
  } else if (region->kind == REGION_LARGE && choice == 1) {
    split(cpu, region, pd_entry);
    region->kind = REGION_SPLIT;
  } else if (region->kind == REGION_LARGE) {
    touch_block(cpu, true);
  } else if (choice == 0) {
    collapse(cpu, region, pd_entry);
    region->kind = REGION_LARGE;
  } else {
    change_part(cpu, region);
  }
}
