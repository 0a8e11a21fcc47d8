/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptarmigan-test-consumer [step]: stands where the JVM does, for the sandbox guest's simple kinds of work. It protects
 * the guest's page tables, does XADD, BTC, XCHG, REP STOS and 16-byte stores, and steps the rest; with "step" it steps
 * everything.
 */
#include <stdlib.h>
#include <string.h>

#include "fake_java.h"
#include "memory_order.h"
#include "sandbox/guest/boot.h"

enum { RAX, RCX, RDX, RDI = 7 };
enum { CF = 0x001, PF = 0x004, AF = 0x010, ZF = 0x040, SF = 0x080, DF = 0x400, OF = 0x800 };
enum { SPINS = 20000, SLEEP_NS = 100000000 };

struct code {
  uint8_t bytes[8];
  unsigned length;
};

static const struct code lock_xadd = {{0xF0, 0x48, 0x0F, 0xC1, 0x07}, 5},
                         lock_btc = {{0xF0, 0x48, 0x0F, 0xBB, 0x07}, 5}, xchg = {{0x48, 0x87, 0x07}, 3},
                         rep_stos = {{0xF3, 0x48, 0xAB}, 3}, movups = {{0x0F, 0x11, 0x2F}, 3},
                         mov = {{0x48, 0x89, 0x07}, 3}, movdqu = {{0xF3, 0x42, 0x0F, 0x7F, 0x6C, 0xCB, 0xF8}, 7};

static const struct code movdqa = {{0x66, 0x0F, 0x7F, 0x07}, 4}, movntdq = {{0x66, 0x44, 0x0F, 0xE7, 0x07}, 5};

static bool is(const struct pt_exit_record *exit, const struct code *code) {
  return memcmp(exit->insn, code->bytes, code->length) == 0;
}

static uint64_t entry_of(const struct pt_exit_record *exit) {
  uint64_t value;
  memcpy(&value, exit->window, sizeof value);
  return value;
}

static void put(struct pt_decision *decision, unsigned entry, uint64_t value) {
  memcpy(decision->bytes + entry * 8, &value, sizeof value);
  decision->mask |= 0xFFu << entry * 8;
}

static void set(struct pt_decision *decision, unsigned reg, uint64_t value) {
  decision->gpr[reg] = value;
  decision->gpr_mask |= 1u << reg;
}

static uint64_t flags_of_sum(uint64_t flags, uint64_t a, uint64_t b) {
  uint64_t sum = a + b;
  flags &= ~(uint64_t)(CF | PF | AF | ZF | SF | OF);
  flags |= sum < a ? CF : 0;
  flags |= __builtin_parityll(sum & 0xFF) ? 0 : PF;
  flags |= (a ^ b ^ sum) & AF;
  flags |= sum == 0 ? ZF : 0;
  flags |= sum >> 63 ? SF : 0;
  return flags | (((a ^ sum) & (b ^ sum)) >> 63 ? OF : 0);
}

static void decide_xadd(struct fake_java *java, const struct pt_exit_record *exit, struct pt_decision *decision) {
  uint64_t old = entry_of(exit), added = exit->cpu.gpr[RAX];
  fake_java_decide(java, exit, PT_ACTION_WRITE, lock_xadd.length, decision);
  put(decision, 0, old + added);
  set(decision, RAX, old);
  decision->rflags = flags_of_sum(exit->cpu.rflags, old, added);
}

static void decide_btc(struct fake_java *java, const struct pt_exit_record *exit, struct pt_decision *decision) {
  uint64_t old = entry_of(exit), bit = 1ull << (exit->cpu.gpr[RAX] & 63);
  fake_java_decide(java, exit, PT_ACTION_WRITE, lock_btc.length, decision);
  put(decision, 0, old ^ bit);
  decision->rflags = (exit->cpu.rflags & ~(uint64_t)CF) | (old & bit ? CF : 0);
}

static void decide_xchg(struct fake_java *java, const struct pt_exit_record *exit, struct pt_decision *decision) {
  fake_java_decide(java, exit, PT_ACTION_WRITE, xchg.length, decision);
  put(decision, 0, exit->cpu.gpr[RAX]);
  set(decision, RAX, entry_of(exit));
}

/* As many elements as the window shows; the rest is another exit. */
static void decide_stos(struct fake_java *java, const struct pt_exit_record *exit, struct pt_decision *decision) {
  uint64_t left = exit->cpu.gpr[RCX], now = exit->window_count / 8;
  now = left < now ? left : now;
  fake_java_decide(java, exit, PT_ACTION_WRITE, now == left ? rep_stos.length : 0, decision);
  for (unsigned i = 0; i < now; i++)
    put(decision, i, exit->cpu.gpr[RAX]);
  set(decision, RCX, left - now);
  set(decision, RDI, exit->cpu.gpr[RDI] + now * 8);
  decision->stores = (uint32_t)now;
}

static const struct code *pair_of(const struct pt_exit_record *exit) {
  static const struct code *const pairs[] = {&movups, &movdqu, &movdqa, &movntdq};
  for (unsigned i = 0; i < sizeof pairs / sizeof *pairs && exit->window_count >= 16; i++)
    if (is(exit, pairs[i]))
      return pairs[i];
  return NULL;
}

/* The guest has just made the XMM register of these two. */
static void decide_pair(struct fake_java *java, const struct pt_exit_record *exit, struct pt_decision *decision) {
  const struct code *pair = pair_of(exit);
  fake_java_decide(java, exit, PT_ACTION_WRITE, pair->length, decision);
  put(decision, 0, exit->cpu.gpr[pair == &movdqu ? 10 : RAX]);
  put(decision, 1, exit->cpu.gpr[RDX]);
}

static void decide_mov(struct fake_java *java, const struct pt_exit_record *exit, struct pt_decision *decision) {
  fake_java_decide(java, exit, PT_ACTION_WRITE, mov.length, decision);
  put(decision, 0, exit->cpu.gpr[RAX]);
}

static void decide(struct fake_java *java, const struct pt_exit_record *exit, bool step) {
  struct pt_decision *decision = fake_java_decision(java, exit->head.vcpu);
  if (step || exit->gpa % 8 != 0)
    fake_java_decide(java, exit, PT_ACTION_STEP, 0, decision);
  else if (is(exit, &lock_xadd))
    decide_xadd(java, exit, decision);
  else if (is(exit, &lock_btc))
    decide_btc(java, exit, decision);
  else if (is(exit, &xchg))
    decide_xchg(java, exit, decision);
  else if (is(exit, &rep_stos) && !(exit->cpu.rflags & DF))
    decide_stos(java, exit, decision);
  else if (pair_of(exit))
    decide_pair(java, exit, decision);
  else if (is(exit, &mov))
    decide_mov(java, exit, decision);
  else
    fake_java_decide(java, exit, PT_ACTION_STEP, 0, decision);
  decision->mask &= ~exit->done;
  fake_java_publish(java, decision, exit->head.sequence);
}

int main(int argc, char **argv) {
  const struct pt_channel channel = fake_java_inherited();
  bool step = argc > 1 && strcmp(argv[1], "step") == 0;
  struct fake_java java;
  unsigned idle = 0;
  if (fake_java_attach(&java, &channel) < 0)
    return EXIT_FAILURE;
  fake_java_command(&java, 1, PT_COMMAND_PROTECT_RANGE, GUEST_POOL_GPA, (uint32_t)guest_pool_bytes(java.stream->vcpus));
  fake_java_ready(&java);
  for (;;) {
    const struct pt_record_head *head = fake_java_take(&java);
    if (head) {
      idle = 0;
      if (head->kind == PT_RECORD_EXIT)
        decide(&java, (const void *)head, step);
      fake_java_consumed(&java);
    } else if (pt_load_acquire(&java.stream->state) == PT_STATE_ENDED) {
      return EXIT_SUCCESS;
    } else if (++idle > SPINS) {
      fake_java_sleep(&java, SLEEP_NS);
    } else {
      pt_spin_hint();
    }
  }
}
