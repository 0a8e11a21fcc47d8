/* SPDX-License-Identifier: Apache-2.0 */
/* The instructions of insns.h as data, and how registers are set up for one of them to do a given change. */
#ifndef PTARMIGAN_SANDBOX_GUEST_INSN_H
#define PTARMIGAN_SANDBOX_GUEST_INSN_H

#include "guest/cpu.h"

enum insn_how {
  STORE,
  ZERO,
  EXCHANGE,
  COMPARE,   /* if it holds rax, set it to rdx */
  COMPARE8B, /* if it holds edx:eax, set it to ecx:ebx */
  AND,
  OR,
  XOR,
  ADD,
  SUB,
  XADD,
  BTS,
  BTR,
  BTC,
  RANGE,
  PAIR,
  ACROSS,
  ACROSS_OR
};

enum insn_class { RARE, PLAIN, LOCKED };

struct insn {
  void (*run)(void); /* takes cpu.in, leaves cpu.out */
  uint8_t how;       /* enum insn_how */
  uint8_t class;     /* enum insn_class */
  uint8_t size;      /* bytes of the operand */
  uint8_t form;      /* FORM_* */
  uint16_t weight;
  uint64_t flags; /* those defined after it */
};

enum insn_name {
#define INSN(name, ...) INSN_##name,
#include "guest/insns.h"
  INSN_COUNT
};

extern const struct insn insns[INSN_COUNT];

#define FLAG_CF 0x001ull
#define FLAG_PF 0x004ull
#define FLAG_AF 0x010ull
#define FLAG_ZF 0x040ull
#define FLAG_SF 0x080ull
#define FLAG_DF 0x400ull
#define FLAG_OF 0x800ull
#define FLAGS_ALL (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_DF | FLAG_OF)
#define FLAGS_NO_AF (FLAGS_ALL & ~FLAG_AF)
#define FLAGS_BIT (FLAG_CF | FLAG_ZF | FLAG_DF)

/* One instruction with its registers in cpu.in, about to be executed. */
struct plan {
  const struct insn *insn;
  uint64_t address;  /* linear, of the first byte that it writes */
  unsigned base;     /* the register that moves with the address */
  uint64_t entries;  /* that it touches, from address & ~7 */
  uint64_t elements; /* stores that it does */
  uint64_t own;      /* bits of the entry that nobody else changes */
  bool denied;       /* the write itself is not to happen */
};

/*
 * Sets up insn to change the entry at linear address entry from old to value; raw is what the entry holds, old with
 * other bits. False where the instruction can't do that change.
 */
bool insn_prepare(struct cpu *cpu, const struct insn *insn, uint64_t entry, uint64_t raw, uint64_t old, uint64_t value,
                  struct plan *out);

/* Puts the address into the registers that the instruction takes it from; the others must be filled in before. */
void insn_address(struct cpu *cpu, struct plan *plan, uint64_t address);

/* Fills all registers and the status flags with what nothing depends on. */
void insn_junk(struct cpu *cpu);

#endif
