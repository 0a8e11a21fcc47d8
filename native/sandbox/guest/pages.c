/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/pages.h"

#include "guest/pool.h"
#include "guest/space.h"
#include "guest/store.h"
#include "guest/user.h"

/* Software bits of an entry that this guest uses: 9 to 11 and 52 to 58. */
static const uint64_t soft_low = 7ull << 9;
static const uint64_t soft_high = 0x7full << 52;

static uint64_t random_soft(struct cpu *cpu) {
  uint64_t random = xorshift(&cpu->random);
  return random & 0x100 ? random & (soft_low | soft_high) : 0;
}

static uint64_t fresh_tag(struct cpu *cpu) {
  return xorshift(&cpu->random);
}

/* Brings the entry of the page from what it was to what the model says now. */
static void update(struct cpu *cpu, const struct space *space, unsigned region, unsigned page, uint64_t old) {
  store_entry(cpu, space_entry(space, region, page), old, page_entry(&space->regions[region].pages[page]));
}

static void update_live(struct cpu *cpu, const struct space *space, unsigned region, unsigned page, uint64_t old) {
  update(cpu, space, region, page, old);
  user_invalidate(cpu, space_va(cpu, region, page));
}

void page_read(struct cpu *cpu, const struct space *space, unsigned region, unsigned page) {
  const struct page *it = &space->regions[region].pages[page];
  uint64_t va = space_va(cpu, region, page);
  space_check(cpu, space, region, page);
  if (it->state == PAGE_MAPPED) {
    user_read_page(cpu, va, it->tag);
  } else {
    user_expect_load(cpu, va, FAULT_USER);
  }
}

static void copy_on_write(struct cpu *cpu, struct space *space, unsigned region, unsigned page) {
  struct page *it = &space->regions[region].pages[page];
  uint64_t old = page_entry(it);
  user_expect_store(cpu, space_va(cpu, region, page), FAULT_USER | FAULT_PRESENT | FAULT_WRITE);
  if (frame_users(cpu, it->gpa) > 1) {
    uint64_t copy = frame_take(cpu);
    frame_read(cpu, it->gpa, it->tag);
    frame_write(cpu, copy, it->tag);
    frame_drop(cpu, it->gpa);
    it->gpa = copy;
  }
  it->cow = false;
  update_live(cpu, space, region, page, old);
  user_read_page(cpu, space_va(cpu, region, page), it->tag);
}

void page_write(struct cpu *cpu, struct space *space, unsigned region, unsigned page) {
  struct page *it = &space->regions[region].pages[page];
  uint64_t va = space_va(cpu, region, page);
  if (it->state != PAGE_MAPPED) {
    user_expect_store(cpu, va, FAULT_USER | FAULT_WRITE);
  } else if (!it->writable) {
    user_expect_store(cpu, va, FAULT_USER | FAULT_PRESENT | FAULT_WRITE);
    user_read_page(cpu, va, it->tag);
  } else {
    if (it->cow) {
      copy_on_write(cpu, space, region, page);
    }
    it->tag = fresh_tag(cpu);
    user_write_page(cpu, va, it->tag);
    user_read_page(cpu, va, it->tag);
    frame_read(cpu, it->gpa, it->tag);
  }
}

static void fill_model(struct cpu *cpu, struct page *page) {
  *page = (struct page){.state = PAGE_MAPPED, .writable = true, .soft = random_soft(cpu), .gpa = frame_take(cpu)};
}

void page_map(struct cpu *cpu, struct space *space, unsigned region, unsigned page) {
  space_ensure_table(cpu, space, region);
  fill_model(cpu, &space->regions[region].pages[page]);
  update(cpu, space, region, page, 0);
  page_write(cpu, space, region, page);
}

void page_unmap(struct cpu *cpu, struct space *space, unsigned region, unsigned page) {
  struct page *it = &space->regions[region].pages[page];
  struct page was = *it;
  *it = (struct page){.state = PAGE_NONE};
  update_live(cpu, space, region, page, page_entry(&was));
  if (was.state == PAGE_MAPPED) {
    frame_drop(cpu, was.gpa);
  }
  page_read(cpu, space, region, page);
}

void page_protect(struct cpu *cpu, struct space *space, unsigned region, unsigned page) {
  struct page *it = &space->regions[region].pages[page];
  uint64_t old = page_entry(it);
  if (random_below(cpu, 4) == 0) {
    it->soft ^= 1ull << (52 + random_below(cpu, 7));
  } else {
    it->writable = !it->writable;
  }
  update_live(cpu, space, region, page, old);
  page_write(cpu, space, region, page);
}

void page_swap_out(struct cpu *cpu, struct space *space, unsigned region, unsigned page) {
  struct page *it = &space->regions[region].pages[page];
  uint64_t old = page_entry(it);
  user_read_page(cpu, space_va(cpu, region, page), it->tag);
  it->state = PAGE_SWAPPED;
  update_live(cpu, space, region, page, old);
  frame_drop(cpu, it->gpa);
  it->gpa = 0;
  it->cow = false;
  page_read(cpu, space, region, page);
}

void page_swap_in(struct cpu *cpu, struct space *space, unsigned region, unsigned page) {
  struct page *it = &space->regions[region].pages[page];
  uint64_t old = page_entry(it);
  page_read(cpu, space, region, page);
  it->gpa = frame_take(cpu);
  frame_write(cpu, it->gpa, it->tag);
  it->state = PAGE_MAPPED;
  update(cpu, space, region, page, old);
  page_read(cpu, space, region, page);
}

void page_age(struct cpu *cpu, const struct space *space, unsigned region, unsigned page) {
  cpu->private_writes++;
  store_age(cpu, space_entry(space, region, page), ~0ull);
}

void page_migrate(struct cpu *cpu, struct space *space, unsigned region, unsigned page) {
  struct page *it = &space->regions[region].pages[page];
  uint64_t old = page_entry(it);
  uint64_t old_gpa = it->gpa;
  it->gpa = frame_take(cpu);
  frame_write(cpu, it->gpa, it->tag);
  it->cow = false;
  update_live(cpu, space, region, page, old);
  frame_drop(cpu, old_gpa);
  page_read(cpu, space, region, page);
}

void pages_unmap(struct cpu *cpu, struct space *space, unsigned region, unsigned page, unsigned count) {
  store_range(cpu, space_entry(space, region, page), count, 0, random_below(cpu, 4) == 0);
  for (unsigned i = page; i < page + count; i++) {
    struct page was = space->regions[region].pages[i];
    user_invalidate(cpu, space_va(cpu, region, i));
    space->regions[region].pages[i] = (struct page){.state = PAGE_NONE};
    if (was.state == PAGE_MAPPED) {
      frame_drop(cpu, was.gpa);
    }
  }
  page_read(cpu, space, region, page);
}

void pages_map_pair(struct cpu *cpu, struct space *space, unsigned region, unsigned page) {
  struct page *pair = &space->regions[region].pages[page];
  fill_model(cpu, &pair[0]);
  fill_model(cpu, &pair[1]);
  store_pair(cpu, space_entry(space, region, page), page_entry(&pair[0]), page_entry(&pair[1]));
  page_write(cpu, space, region, page);
  page_write(cpu, space, region, page + 1);
}

void pages_mark_across(struct cpu *cpu, struct space *space, unsigned region, unsigned page) {
  struct page *pair = &space->regions[region].pages[page];
  uint64_t old[2] = {page_entry(&pair[0]), page_entry(&pair[1])};
  pair[0].soft ^= 1ull << (52 + random_below(cpu, 7));
  pair[1].soft ^= 1ull << (9 + random_below(cpu, 3));
  uint64_t value[2] = {page_entry(&pair[0]), page_entry(&pair[1])};
  store_across(cpu, space_entry(space, region, page), old, value);
  user_invalidate(cpu, space_va(cpu, region, page));
  user_invalidate(cpu, space_va(cpu, region, page + 1));
  page_read(cpu, space, region, page);
  page_read(cpu, space, region, page + 1);
}

void pages_protect_all(struct cpu *cpu, struct space *space, unsigned region, unsigned page) {
  const struct page *it = &space->regions[region].pages[page];
  uint64_t entry = space_pd_entry(space, region);
  uint64_t open = space->regions[region].table | PTE_P | PTE_RW | PTE_US;
  uint64_t va = space_va(cpu, region, page);
  store_entry(cpu, entry, open, open & ~PTE_RW);
  user_switch(cpu, space);
  user_read_page(cpu, va, it->tag);
  user_expect_store(cpu, va, FAULT_USER | FAULT_PRESENT | FAULT_WRITE);
  store_entry(cpu, entry, open & ~PTE_RW, open);
  user_switch(cpu, space);
  page_write(cpu, space, region, page);
}
