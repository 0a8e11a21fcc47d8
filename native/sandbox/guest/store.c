/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/store.h"

#include "guest/insn.h"

enum { MOST_DRAWS = 6, MOST_PAIRED = 2, MOST_RETRIES = 10000, DENIED_PUSHES = 4 };

static volatile uint64_t *entries_of(const struct plan *plan) {
  return (volatile uint64_t *)(plan->address & ~7ull);
}

static bool reads_memory(const struct insn *insn) {
  return insn->how != STORE && insn->how != ZERO && insn->how != RANGE && insn->how != PAIR && insn->how != ACROSS;
}

/* What an instruction that returns the old entry says it was; the part that it returns over the rest of raw. */
static uint64_t returned(const struct plan *plan, const struct registers *seen, uint64_t raw) {
  if (plan->insn->how == COMPARE8B) {
    return seen->gpr[RDX] << 32 | (seen->gpr[RAX] & 0xffffffff);
  }
  if (plan->insn->size == 8) {
    return seen->gpr[RAX];
  }
  unsigned shift = (unsigned)(plan->address & 7) * 8;
  uint64_t mask = ((1ull << plan->insn->size * 8) - 1) << shift;
  return (raw & ~mask) | (seen->gpr[RAX] << shift & mask);
}

static bool returns_old(const struct plan *plan) {
  uint8_t how = plan->insn->how;
  return how == EXCHANGE || how == XADD || how == COMPARE || how == COMPARE8B;
}

/* Flags that follow from the entry's old value where others change parts of it at the same time. */
static uint64_t known_flags(const struct plan *plan) {
  if (plan->own == ~0ull || returns_old(plan) || !reads_memory(plan->insn)) {
    return plan->insn->flags;
  }
  switch (plan->insn->how) {
    case BTS:
    case BTR:
    case BTC:
      return plan->own == 0 ? plan->insn->flags & ~FLAG_CF : plan->insn->flags;
    case AND:
    case OR:
    case XOR:
      return FLAG_CF | FLAG_OF | FLAG_DF;
    default:
      return FLAG_DF;
  }
}

/* rsp counts from where the routine started: the copy is written from another depth of the stack. */
static void run(struct cpu *cpu, const struct plan *plan) {
  plan->insn->run();
  if (plan->insn->form != FORM_STACK) {
    cpu->out.gpr[RSP] -= cpu->stack;
  }
}

/* Executes the instruction on the copy and holds the outcome against what was seen. 0: they agree. */
static unsigned compare_with_copy(struct cpu *cpu, const struct plan *plan, const struct registers *seen,
                                  const uint64_t *old, uint64_t difference[2]) {
  uint64_t *copy = cpu->shadow;
  uint64_t delta = (uint64_t)copy - (plan->address & ~7ull);
  volatile uint64_t *table = entries_of(plan);
  for (uint64_t i = 0; i < plan->entries; i++) {
    copy[i] = old[i < MOST_PAIRED ? i : 0];
  }
  cpu->in.gpr[plan->base] += delta;
  run(cpu, plan);
  cpu->in.gpr[plan->base] -= delta;
  cpu->out.gpr[plan->base] -= delta;
  for (unsigned i = 0; i < GPR_COUNT; i++) {
    if (cpu->out.gpr[i] != seen->gpr[i]) {
      difference[0] = cpu->out.gpr[i];
      difference[1] = seen->gpr[i];
      return CHECK_REGISTER;
    }
  }
  if (((cpu->out.rflags ^ seen->rflags) & known_flags(plan)) != 0) {
    difference[0] = cpu->out.rflags;
    difference[1] = seen->rflags;
    return CHECK_FLAGS;
  }
  for (uint64_t i = 0; i < plan->entries; i++) {
    uint64_t expected = plan->denied ? old[0] : copy[i];
    uint64_t found = table[i];
    uint64_t ignored = found & expected & PTE_P ? PTE_AD : 0;
    if (((expected ^ found) & plan->own & ~ignored) != 0) {
      difference[0] = expected;
      difference[1] = found;
      return plan->denied ? CHECK_DENIED : CHECK_MEMORY;
    }
  }
  return 0;
}

/* Adds A and D as bits 0 and 1 (second entry: 2 and 3) of choice say. False where that adds nothing new. */
static bool add_walker_bits(uint64_t old[MOST_PAIRED], unsigned entries, unsigned choice) {
  for (unsigned i = 0; i < MOST_PAIRED; i++) {
    uint64_t bits = (uint64_t)(choice >> 2 * i & 3) * PTE_A;
    if (bits != 0 && (i >= entries || (old[i] & PTE_P) == 0 || (old[i] & bits) != 0)) {
      return false;
    }
    old[i] |= bits;
  }
  return true;
}

static void check(struct cpu *cpu, const struct plan *plan, const struct registers *seen, const uint64_t *raw) {
  unsigned entries = (unsigned)(plan->entries < MOST_PAIRED ? plan->entries : MOST_PAIRED);
  unsigned choices = reads_memory(plan->insn) || plan->denied ? 1u << 2 * entries : 1;
  unsigned failed = 0;
  uint64_t difference[2] = {0, 0};
  for (unsigned choice = 0; choice < choices; choice++) {
    uint64_t old[MOST_PAIRED] = {raw[0], raw[1]};
    uint64_t now[2] = {0, 0};
    if (plan->own != ~0ull && returns_old(plan)) {
      old[0] = returned(plan, seen, raw[0]);
      choices = 1;
    } else if (!add_walker_bits(old, entries, choice)) {
      continue;
    }
    unsigned result = compare_with_copy(cpu, plan, seen, old, now);
    if (result == 0) {
      return;
    }
    if (choice == 0) {
      failed = result;
      difference[0] = now[0];
      difference[1] = now[1];
    }
  }
  check_failed(cpu, failed, difference[0], difference[1]);
}

/* Does what is planned and checks it. *seen: the registers after it. */
static void execute(struct cpu *cpu, const struct plan *plan, struct registers *seen) {
  volatile uint64_t *table = entries_of(plan);
  uint64_t raw[MOST_PAIRED] = {table[0], plan->entries > 1 ? table[1] : 0};
  cpu->boot->stores += plan->elements;
  run(cpu, plan);
  *seen = cpu->out;
  if (!cpu->reference) {
    check(cpu, plan, seen, raw);
  }
}

static const struct insn *draw(struct cpu *cpu) {
  uint64_t total = 0;
  for (unsigned i = 0; i < INSN_COUNT; i++) {
    total += insns[i].weight;
  }
  uint64_t at = random_below(cpu, total);
  const struct insn *insn = insns;
  while (at >= insn->weight) {
    at -= insn->weight;
    insn++;
  }
  return insn;
}

/* An instruction, of the least class or above, that can do the change; the last resort always can. */
static const struct insn *choose(struct cpu *cpu, uint64_t old, uint64_t value, enum insn_class least,
                                 const struct insn *last_resort) {
  struct plan unused;
  for (unsigned i = 0; i < MOST_DRAWS; i++) {
    const struct insn *insn = draw(cpu);
    if (insn->class >= least && (least != LOCKED || insn->how != EXCHANGE) &&
        insn_prepare(cpu, insn, 0, old, old, value, &unused)) {
      return insn;
    }
  }
  return last_resort;
}

static bool compare_failed(const struct plan *plan, const struct registers *seen) {
  return (plan->insn->how == COMPARE || plan->insn->how == COMPARE8B) && (seen->rflags & FLAG_ZF) == 0;
}

static void change(struct cpu *cpu, uint64_t gpa, uint64_t old, uint64_t value, const struct insn *insn, bool denied) {
  struct plan plan;
  struct registers seen;
  unsigned retries = 0;
  if (denied && cpu->reference) {
    return;
  }
  do {
    insn_prepare(cpu, insn, (uint64_t)direct(gpa), *direct(gpa), old, value, &plan);
    plan.denied = denied;
    execute(cpu, &plan, &seen);
  } while (compare_failed(&plan, &seen) && retries++ < MOST_RETRIES);
}

void store_entry(struct cpu *cpu, uint64_t gpa, uint64_t old, uint64_t value) {
  cpu->private_writes++;
  change(cpu, gpa, old, value, choose(cpu, old, value, RARE, &insns[INSN_mov8]), false);
}

void store_denied(struct cpu *cpu, uint64_t gpa, uint64_t old, uint64_t value) {
  const struct insn *insn = choose(cpu, old, value, PLAIN, &insns[INSN_mov8]);
  change(cpu, gpa, old, value, random_below(cpu, DENIED_PUSHES) == 0 ? &insns[INSN_push8] : insn, true);
}

void store_shared(struct cpu *cpu, uint64_t gpa, uint64_t own, uint64_t old, uint64_t value) {
  struct plan plan;
  struct registers seen;
  const struct insn *last_resort = &insns[(value & ~old) == 0 ? INSN_and8_lock : INSN_xor8_lock];
  const struct insn *insn = choose(cpu, old, value, LOCKED, last_resort);
  bool whole = insn->how == COMPARE || insn->how == COMPARE8B;
  unsigned retries = 0;
  cpu->shared_writes++;
  do {
    uint64_t raw = *direct(gpa);
    if (!whole || !insn_prepare(cpu, insn, (uint64_t)direct(gpa), raw, raw, (raw & ~own) | value, &plan)) {
      insn_prepare(cpu, whole ? last_resort : insn, (uint64_t)direct(gpa), raw, old, value, &plan);
    }
    plan.own = own & ~PTE_AD;
    execute(cpu, &plan, &seen);
  } while (compare_failed(&plan, &seen) && retries++ < MOST_RETRIES);
}

void store_age(struct cpu *cpu, uint64_t gpa, uint64_t own) {
  static const enum insn_name names[] = {INSN_and8_lock, INSN_and1, INSN_btr8_lock, INSN_and4};
  unsigned locked = 3; /* the first of them, all that will do where others write too */
  const struct insn *insn = &insns[names[random_below(cpu, own == ~0ull ? locked + 1 : locked)]];
  struct plan plan = {.insn = insn, .entries = 1, .elements = 1, .own = own};
  struct registers seen;
  insn_junk(cpu);
  cpu->in.gpr[R10] = ~PTE_AD;
  cpu->in.gpr[RAX] = insn->how == BTR ? (uint64_t)__builtin_ctzll(PTE_A) : ~PTE_AD;
  insn_address(cpu, &plan, (uint64_t)direct(gpa));
  execute(cpu, &plan, &seen);
}

void store_range(struct cpu *cpu, uint64_t gpa, uint64_t count, uint64_t value, bool down) {
  struct plan plan = {
      .insn = &insns[down ? INSN_rep_down8 : INSN_rep_stos8], .entries = count, .elements = count, .own = ~0ull};
  struct registers seen;
  cpu->private_writes += count;
  insn_junk(cpu);
  cpu->in.gpr[RAX] = value;
  cpu->in.gpr[RCX] = count;
  insn_address(cpu, &plan, (uint64_t)direct(gpa));
  execute(cpu, &plan, &seen);
}

static void store_two(struct cpu *cpu, enum insn_name name, uint64_t gpa, uint64_t low, uint64_t high) {
  struct plan plan = {.insn = &insns[name], .entries = 2, .elements = name == INSN_rep_movs8 ? 2 : 1, .own = ~0ull};
  struct registers seen;
  cpu->private_writes++;
  insn_junk(cpu);
  cpu->in.gpr[RAX] = low;
  cpu->in.gpr[R10] = low;
  cpu->in.gpr[RDX] = high;
  cpu->in.gpr[RCX] = 2;
  cpu->source[0] = low;
  cpu->source[1] = high;
  insn_address(cpu, &plan, (uint64_t)direct(gpa));
  execute(cpu, &plan, &seen);
}

void store_pair(struct cpu *cpu, uint64_t gpa, uint64_t low, uint64_t high) {
  static const enum insn_name names[] = {INSN_movups16, INSN_movdqu16, INSN_rep_movs8, INSN_movdqa16, INSN_movntdq16};
  unsigned unaligned = 3; /* the first of them, all that will do off a multiple of 16 */
  store_two(cpu, names[random_below(cpu, gpa % 16 == 0 ? unaligned + 2 : unaligned)], gpa, low, high);
}

void store_sixteen(struct cpu *cpu, uint64_t gpa, uint64_t low, uint64_t high) {
  store_two(cpu, random_below(cpu, 2) == 0 ? INSN_movups16 : INSN_movdqu16, gpa, low, high);
}

void store_across(struct cpu *cpu, uint64_t gpa, uint64_t old[2], uint64_t value[2]) {
  uint64_t before = old[0] >> 32 | old[1] << 32;
  uint64_t after = value[0] >> 32 | value[1] << 32;
  bool only_sets = (before & ~after) == 0;
  static const enum insn_name moves[] = {INSN_mov8_across, INSN_movs8_across, INSN_movq8_across};
  enum insn_name name = only_sets ? INSN_or8_across : moves[random_below(cpu, 3)];
  struct plan plan = {.insn = &insns[name], .entries = 2, .elements = 1, .own = ~0ull};
  struct registers seen;
  cpu->private_writes++;
  insn_junk(cpu);
  cpu->in.gpr[RAX] = only_sets ? after & ~before : after;
  insn_address(cpu, &plan, (uint64_t)direct(gpa) + 4);
  execute(cpu, &plan, &seen);
}

static struct plan contended(struct cpu *cpu, enum insn_name name, uint64_t gpa) {
  struct plan plan = {.insn = &insns[name], .entries = 1, .elements = 1, .own = 0};
  insn_junk(cpu);
  insn_address(cpu, &plan, (uint64_t)direct(gpa));
  return plan;
}

uint64_t store_compare(struct cpu *cpu, uint64_t gpa, uint64_t expected, uint64_t value) {
  struct registers seen;
  struct plan plan = contended(cpu, INSN_cmpxchg8, gpa);
  cpu->in.gpr[RAX] = expected;
  cpu->in.gpr[RDX] = value;
  execute(cpu, &plan, &seen);
  return seen.gpr[RAX];
}

uint64_t store_compare8b(struct cpu *cpu, uint64_t gpa, uint64_t expected, uint64_t value) {
  struct registers seen;
  struct plan plan = contended(cpu, INSN_cmpxchg8b, gpa);
  cpu->in.gpr[RAX] = expected & 0xffffffff;
  cpu->in.gpr[RDX] = expected >> 32;
  cpu->in.gpr[RBX] = value & 0xffffffff;
  cpu->in.gpr[RCX] = value >> 32;
  execute(cpu, &plan, &seen);
  return seen.gpr[RDX] << 32 | (seen.gpr[RAX] & 0xffffffff);
}

uint64_t store_exchange(struct cpu *cpu, uint64_t gpa, uint64_t value) {
  struct registers seen;
  struct plan plan = contended(cpu, INSN_xchg8, gpa);
  cpu->in.gpr[RAX] = value;
  execute(cpu, &plan, &seen);
  return seen.gpr[RAX];
}

void store_add(struct cpu *cpu, uint64_t gpa, uint64_t value) {
  static const enum insn_name names[] = {INSN_xadd8_lock, INSN_add8_lock, INSN_sub8_lock};
  struct registers seen;
  enum insn_name name = names[random_below(cpu, 3)];
  struct plan plan = contended(cpu, name, gpa);
  cpu->in.gpr[RAX] = name == INSN_sub8_lock ? 0 - value : value;
  execute(cpu, &plan, &seen);
}

void store_xadd(struct cpu *cpu, uint64_t gpa, uint64_t value) {
  struct registers seen;
  struct plan plan = contended(cpu, INSN_xadd8_lock, gpa);
  cpu->in.gpr[RAX] = value;
  execute(cpu, &plan, &seen);
}

void store_complement(struct cpu *cpu, uint64_t gpa, unsigned bit) {
  struct registers seen;
  struct plan plan = contended(cpu, INSN_btc8_lock, gpa);
  plan.own = 1ull << bit;
  cpu->in.gpr[RAX] = bit;
  insn_address(cpu, &plan, (uint64_t)direct(gpa));
  execute(cpu, &plan, &seen);
}

void store_plain(struct cpu *cpu, uint64_t gpa, uint64_t value) {
  struct registers seen;
  struct plan plan = contended(cpu, INSN_mov8, gpa);
  plan.own = ~0ull;
  cpu->in.gpr[RAX] = value;
  execute(cpu, &plan, &seen);
}

void store_selector(struct cpu *cpu, uint64_t gpa) {
  static const enum insn_name names[] = {INSN_mov_ss, INSN_mov_cs, INSN_mov_ds, INSN_mov_es, INSN_mov_fs, INSN_mov_gs};
  struct registers seen;
  struct plan plan = contended(cpu, names[random_below(cpu, 6)], gpa);
  plan.own = ~0ull;
  insn_address(cpu, &plan, plan.address + 2 + 2 * random_below(cpu, 3));
  execute(cpu, &plan, &seen);
}

bool store_bit(struct cpu *cpu, uint64_t gpa, unsigned bit, bool set) {
  struct registers seen;
  struct plan plan = contended(cpu, set ? INSN_bts8_lock : INSN_btr8_lock, gpa);
  cpu->in.gpr[RAX] = bit;
  insn_address(cpu, &plan, (uint64_t)direct(gpa));
  execute(cpu, &plan, &seen);
  return (seen.rflags & FLAG_CF) != 0;
}
