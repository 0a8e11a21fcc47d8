/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/shared.h"

#include "guest/pool.h"
#include "guest/store.h"
#include "guest/user.h"

enum { TABLE_GROUP = 32, UPPER_ENTRIES = GUEST_SHARED_TABLES + 2 };

/* Entries of the contended table, from the counters up. None is ever present. */
enum {
  COMPARED = SHARED_COUNTERS,
  COMPARED8B,
  EXCHANGED,
  LOCK,
  GUARDED,
  COMPLEMENTED,
  SELECTORS /* one for each vCPU */
};
enum { LOCK_BIT = 9, COMPLEMENT_BITS = 4 };

static uint64_t fixed_table(unsigned fixed) {
  return GUEST_POOL_GPA + fixed * GUEST_PAGE;
}

static uint64_t contended_entry(unsigned number) {
  return fixed_table(TABLE_CONTENDED) + number * 8;
}

/* Each vCPU has a software bit of its own: 9 to 11, then 52 to 60, which are free where CR4.PKE is not set. */
static uint64_t soft_bit(uint64_t id) {
  return 1ull << (id < 3 ? 9 + id : 49 + id);
}

static uint64_t all_soft_bits(void) {
  uint64_t bits = 0;
  for (uint64_t id = 0; id < GUEST_MAX_VCPUS; id++) {
    bits |= soft_bit(id);
  }
  return bits;
}

/* Neighbours in a table belong to different vCPUs. */
static uint64_t own_index(uint64_t id, uint64_t number) {
  return number / GUEST_SHARED_TABLES * TABLE_GROUP + id;
}

static uint64_t own_entry(uint64_t id, uint64_t number) {
  return fixed_table(TABLE_SHARED_PT + (unsigned)(number % GUEST_SHARED_TABLES)) + own_index(id, number) * 8;
}

static uint64_t own_va(uint64_t id, uint64_t number) {
  return GUEST_SHARED_VA + number % GUEST_SHARED_TABLES * GUEST_LARGE_PAGE + own_index(id, number) * GUEST_PAGE;
}

static void check_own(struct cpu *cpu, uint64_t number) {
  uint64_t va = own_va(cpu->id, number);
  uint64_t entry = cpu->shared.own[number];
  if (entry == 0) {
    user_expect_load(cpu, va, FAULT_USER);
    return;
  }
  if ((entry & PTE_RW) == 0) {
    user_expect_store(cpu, va, FAULT_USER | FAULT_PRESENT | FAULT_WRITE);
  } else {
    cpu->shared.tags[number] = xorshift(&cpu->random);
    user_write_page(cpu, va, cpu->shared.tags[number]);
  }
  user_read_page(cpu, va, cpu->shared.tags[number]);
  frame_read(cpu, entry & PTE_FRAME, cpu->shared.tags[number]);
}

/* Maps, protects or unmaps a page by an entry in which others flip their software bits meanwhile. */
static void change_own(struct cpu *cpu) {
  uint64_t number = random_below(cpu, SHARED_OWN);
  uint64_t old = cpu->shared.own[number];
  uint64_t value = old ^ PTE_RW;
  if (old == 0) {
    value = frame_take(cpu) | PTE_P | PTE_RW | PTE_US | PTE_NX;
  } else if (random_below(cpu, 2) == 0) {
    value = 0;
  }
  store_shared(cpu, own_entry(cpu->id, number), ~all_soft_bits(), old, value);
  user_invalidate(cpu, own_va(cpu->id, number));
  cpu->shared.own[number] = value;
  check_own(cpu, number);
  if (value == 0) {
    frame_drop(cpu, old & PTE_FRAME);
  }
}

static void age_own(struct cpu *cpu) {
  uint64_t number = random_below(cpu, SHARED_OWN);
  if (cpu->shared.own[number] != 0) {
    cpu->shared_writes++;
    store_age(cpu, own_entry(cpu->id, number), ~all_soft_bits() & ~PTE_AD);
  }
}

static void flip(struct cpu *cpu, uint64_t gpa, uint32_t *model, uint64_t at) {
  uint64_t bit = soft_bit(cpu->id);
  uint64_t old = *model >> at & 1 ? bit : 0;
  store_shared(cpu, gpa, bit, old, old ^ bit);
  *model ^= 1u << at;
}

static void flip_soft(struct cpu *cpu) {
  uint64_t number = random_below(cpu, SHARED_OWN);
  uint64_t id = random_below(cpu, guest_boot.vcpus);
  flip(cpu, own_entry(id, number), &cpu->shared.soft[number], id);
}

/* In the entries of the page directory that lead to the shared tables, and in the one that leads there. */
static void flip_upper(struct cpu *cpu) {
  uint64_t at = random_below(cpu, UPPER_ENTRIES);
  uint64_t gpa = at == 0 ? fixed_table(TABLE_SHARED_PDPT) : fixed_table(TABLE_SHARED_PD) + (at - 1) * 8;
  flip(cpu, gpa, &cpu->shared.soft_upper, at);
}

static void add(struct cpu *cpu) {
  unsigned number = (unsigned)random_below(cpu, SHARED_COUNTERS);
  uint64_t value = xorshift(&cpu->random) << 1;
  cpu->shared_writes++;
  cpu->shared.added[number] += value;
  store_add(cpu, contended_entry(number), value);
}

void shared_xadd(struct cpu *cpu, uint64_t value) {
  unsigned number = (unsigned)random_below(cpu, SHARED_COUNTERS);
  cpu->shared.added[number] += value;
  store_xadd(cpu, contended_entry(number), value);
}

void shared_complement(struct cpu *cpu) {
  unsigned bit = (unsigned)(cpu->id * COMPLEMENT_BITS + 1 + random_below(cpu, COMPLEMENT_BITS));
  store_complement(cpu, contended_entry(COMPLEMENTED), bit);
}

static void count_up(struct cpu *cpu, unsigned entry, uint64_t *successes,
                     uint64_t (*compare)(struct cpu *, uint64_t, uint64_t, uint64_t)) {
  uint64_t gpa = contended_entry(entry);
  uint64_t expected;
  uint64_t found = *direct(gpa);
  cpu->shared_writes++;
  do {
    expected = found;
    found = compare(cpu, gpa, expected, expected + 2);
  } while (found != expected && guest_boot.stop != GUEST_GIVES_UP);
  *successes += 1;
}

/* A token says who put it there and when; bit 0 stays clear. */
static uint64_t make_token(uint64_t id, uint64_t sequence) {
  uint64_t body = sequence << 8 | (id + 1);
  return (body << 8 | (body * 0x9d) % 251) << 1;
}

static void check_token(struct cpu *cpu, uint64_t token) {
  uint64_t id = (token >> 9 & 0xff) - 1;
  uint64_t sequence = token >> 17;
  if (token != 0 && (id >= guest_boot.vcpus || token != make_token(id, sequence) || sequence == 0 ||
                     sequence > cpu_block(id)->shared.tokens)) {
    check_failed(cpu, CHECK_EXCHANGE, 0, token);
  }
}

void shared_exchange(struct cpu *cpu) {
  uint64_t token = make_token(cpu->id, ++cpu->shared.tokens);
  cpu->shared_writes++;
  uint64_t got = store_exchange(cpu, contended_entry(EXCHANGED), token);
  check_token(cpu, got);
  cpu->shared.tokens_in += token;
  cpu->shared.tokens_out += got;
}

/* A bit of an entry is the lock of another entry, which is then counted up by a plain load and a plain store. */
static void critical_section(struct cpu *cpu) {
  static volatile uint64_t inside;
  uint64_t lock = contended_entry(LOCK);
  uint64_t guarded = contended_entry(GUARDED);
  cpu->shared_writes += 3;
  while (store_bit(cpu, lock, LOCK_BIT, true)) {
    while ((*direct(lock) >> LOCK_BIT & 1) != 0) {
      if (guest_boot.stop == GUEST_GIVES_UP) {
        return;
      }
      yield();
    }
  }
  check_equal(cpu, CHECK_EXCLUSION, 0, inside);
  inside = cpu->id + 1;
  store_plain(cpu, guarded, *direct(guarded) + 2);
  check_equal(cpu, CHECK_EXCLUSION, cpu->id + 1, inside);
  inside = 0;
  if (!store_bit(cpu, lock, LOCK_BIT, false)) {
    check_failed(cpu, CHECK_EXCLUSION, 1, 0);
  }
  cpu->shared.sections++;
}

static void keep_selector(struct cpu *cpu) {
  cpu->shared_writes++;
  store_selector(cpu, contended_entry(SELECTORS + (unsigned)cpu->id));
}

void shared_step(struct cpu *cpu) {
  switch (random_below(cpu, 17)) {
    case 0:
      count_up(cpu, COMPARED, &cpu->shared.compared, store_compare);
      break;
    case 1:
      count_up(cpu, COMPARED8B, &cpu->shared.compared8b, store_compare8b);
      break;
    case 2:
      shared_exchange(cpu);
      break;
    case 3:
      critical_section(cpu);
      break;
    case 4:
    case 5:
      add(cpu);
      break;
    case 6:
      flip_upper(cpu);
      break;
    case 7:
    case 8:
    case 9:
    case 10:
      flip_soft(cpu);
      break;
    case 11:
      keep_selector(cpu);
      break;
    case 12:
    case 13:
    case 14:
      age_own(cpu);
      break;
    default:
      change_own(cpu);
  }
}

static void check_sum(struct cpu *cpu, unsigned entry, uint64_t sum) {
  check_equal(cpu, CHECK_COUNTER, sum, *direct(contended_entry(entry)));
}

void shared_finish(struct cpu *cpu) {
  struct shared_part sum = {.compared = 0};
  for (uint64_t id = 0; id < guest_boot.vcpus; id++) {
    const struct shared_part *part = &cpu_block(id)->shared;
    for (unsigned i = 0; i < SHARED_COUNTERS; i++) {
      sum.added[i] += part->added[i];
    }
    sum.compared += part->compared;
    sum.compared8b += part->compared8b;
    sum.sections += part->sections;
    sum.tokens_in += part->tokens_in;
    sum.tokens_out += part->tokens_out;
  }
  for (unsigned i = 0; i < SHARED_COUNTERS; i++) {
    check_sum(cpu, i, sum.added[i]);
  }
  check_sum(cpu, COMPARED, 2 * sum.compared);
  check_sum(cpu, COMPARED8B, 2 * sum.compared8b);
  check_sum(cpu, GUARDED, 2 * sum.sections);
  /* Which token is left depends on the order: it is taken out. */
  uint64_t last = store_exchange(cpu, contended_entry(EXCHANGED), 0);
  check_token(cpu, last);
  check_equal(cpu, CHECK_EXCHANGE, sum.tokens_in, sum.tokens_out + last);
}
