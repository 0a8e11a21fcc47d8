/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/insn.h"

#define INSN(name, ...) void insn_##name(void);
#include "guest/insns.h"

const struct insn insns[INSN_COUNT] = {
#define INSN(name, how, class, size, form, weight, flags, ...) {insn_##name, how, class, size, form, weight, flags},
#include "guest/insns.h"
};

void insn_junk(struct cpu *cpu) {
  uint64_t junk = xorshift(&cpu->junk);
  for (unsigned i = 0; i < GPR_COUNT; i++) {
    junk = (junk << 7 | junk >> 57) + 0x9e3779b97f4a7c15ull;
    cpu->in.gpr[i] = junk;
  }
  cpu->in.rflags = 0x202 | (junk >> 20 & FLAGS_ALL & ~FLAG_DF);
}

static void set_value(struct cpu *cpu, uint64_t value) {
  cpu->in.gpr[RAX] = value;
  cpu->in.gpr[R10] = value;
}

/* The low size bytes of a register; the rest of it stays as it is where the instruction does not look at it. */
static void set_part(struct cpu *cpu, uint64_t value, unsigned size) {
  uint64_t mask = size == 8 ? ~0ull : (1ull << size * 8) - 1;
  set_value(cpu, (cpu->in.gpr[RAX] & ~mask) | (value & mask));
}

static void bit_offset(struct cpu *cpu, uint64_t address) {
  int64_t words = (int64_t)(cpu->in.gpr[R11] % 7) - 3;
  cpu->in.gpr[RDI] = address - (uint64_t)(words * 8);
  cpu->in.gpr[RAX] = (cpu->in.gpr[RAX] & 63) + (uint64_t)(words * 64);
}

void insn_address(struct cpu *cpu, struct plan *plan, uint64_t address) {
  plan->address = address;
  plan->base = RDI;
  switch (plan->insn->form) {
    case FORM_INDEX:
      cpu->in.gpr[R9] = cpu->in.gpr[R11] % 9 - 4;
      cpu->in.gpr[RBX] = address + 8 - cpu->in.gpr[R9] * 8;
      plan->base = RBX;
      break;
    case FORM_GS:
      cpu->in.gpr[RDI] = address - (uint64_t)cpu;
      break;
    case FORM_BIT:
      bit_offset(cpu, address);
      break;
    case FORM_STACK:
      cpu->in.gpr[RSP] = address + 8;
      plan->base = RSP;
      break;
    case FORM_COPY:
    case FORM_COPY_DOWN:
      cpu->in.rflags |= plan->insn->form == FORM_COPY_DOWN ? FLAG_DF : 0;
      cpu->in.gpr[RSI] = (uint64_t)cpu->source;
      cpu->in.gpr[RDI] = address;
      break;
    case FORM_DOWN:
      cpu->in.rflags |= FLAG_DF;
      cpu->in.gpr[RDI] = address + (plan->elements - 1) * 8;
      break;
    default:
      cpu->in.gpr[RDI] = address;
  }
}

/* The aligned part of the entry, of the operand's size, that holds all bits that differ. False: there is none. */
static bool find_part(uint64_t difference, unsigned size, unsigned *offset) {
  *offset = difference == 0 ? 0 : (unsigned)__builtin_ctzll(difference) / 8 / size * size;
  return size == 8 || (difference >> *offset * 8 >> size * 8) == 0;
}

static bool single_bit(uint64_t bits) {
  return bits != 0 && (bits & (bits - 1)) == 0;
}

/*
 * Where an entry stops being present, A and D that a walker has set must go with the rest: no instruction that leaves
 * them as they are will do.
 */
static bool set_operands(struct cpu *cpu, const struct insn *insn, uint64_t raw, uint64_t old, uint64_t fresh,
                         unsigned shift) {
  uint64_t value = fresh >> shift;
  uint64_t before = old >> shift;
  bool ends = (old & ~fresh & PTE_P) != 0;
  switch (insn->how) {
    case STORE:
    case EXCHANGE:
      set_part(cpu, value, insn->size);
      return true;
    case ZERO:
      return fresh == 0;
    case COMPARE:
      set_part(cpu, raw >> shift, insn->size);
      cpu->in.gpr[RDX] = value;
      return true;
    case COMPARE8B:
      cpu->in.gpr[RAX] = (cpu->in.gpr[RAX] & ~0xffffffffull) | (raw & 0xffffffff);
      cpu->in.gpr[RDX] = raw >> 32;
      cpu->in.gpr[RBX] = (cpu->in.gpr[RBX] & ~0xffffffffull) | (fresh & 0xffffffff);
      cpu->in.gpr[RCX] = fresh >> 32;
      return true;
    case AND:
      set_part(cpu, ~((before | (ends ? PTE_AD >> shift : 0)) & ~value), insn->size);
      return (fresh & ~old) == 0;
    case OR:
      set_part(cpu, value & ~before, insn->size);
      return (old & ~fresh) == 0;
    case XOR:
      set_part(cpu, value ^ before, insn->size);
      return !ends;
    case ADD:
    case XADD:
      set_value(cpu, fresh - old);
      return !ends;
    case SUB:
      set_value(cpu, old - fresh);
      return !ends;
    case BTS:
    case BTR:
    case BTC:
      if (ends || !single_bit(old ^ fresh) || (insn->how == BTS && (old & ~fresh) != 0) ||
          (insn->how == BTR && (fresh & ~old) != 0)) {
        return false;
      }
      cpu->in.gpr[RAX] = (uint64_t)__builtin_ctzll(old ^ fresh);
      return true;
    default:
      return false;
  }
}

bool insn_prepare(struct cpu *cpu, const struct insn *insn, uint64_t entry, uint64_t raw, uint64_t old, uint64_t value,
                  struct plan *out) {
  unsigned offset;
  if (!find_part(old ^ value, insn->size, &offset)) {
    return false;
  }
  insn_junk(cpu);
  *out = (struct plan){.insn = insn, .entries = 1, .elements = 1, .own = ~0ull};
  if (!set_operands(cpu, insn, raw, old, value, offset * 8)) {
    return false;
  }
  insn_address(cpu, out, entry + offset);
  return true;
}
