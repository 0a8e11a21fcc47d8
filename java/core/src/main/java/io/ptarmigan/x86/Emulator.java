// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/**
 * Computes what the instruction of an exit does to memory and registers, exactly as the processor
 * would, from the record alone. Changes nothing outside the {@link Effect}; with the plan cached it
 * does not allocate. Whatever the record holds, it answers and does not throw.
 *
 * <p>Not thread-safe: one per decider.
 */
public final class Emulator {
  private static final long BREAKPOINTS = 0xff;
  private static final long CR0_AM = 1 << 18;
  private static final long CR4_LA57 = 1 << 12;
  private static final long CR4_CET = 1 << 23;

  private final PlanCache plans;

  public Emulator(PlanCache plans) {
    this.plans = plans;
  }

  /**
   * Emulates the exit's instruction.
   *
   * @param out overwritten; meaningful only if the answer is {@link Result#WRITE}
   */
  public Result emulate(ExitState in, Effect out) {
    Plan plan = plans.find(in);
    if (plan.refusal != null) {
      return plan.refusal;
    }
    Result refusal = refuse(plan, in);
    if (refusal != null) {
      return refusal;
    }
    out.begin(in);
    out.rip = in.rip() + plan.length;
    Result result = execute(plan, in, out);
    return result == Result.WRITE ? finish(plan, in, out) : result;
  }

  /** What can be known before looking at the operation; null if nothing speaks against it. */
  private static Result refuse(Plan plan, ExitState in) {
    if ((in.rflags() & Flags.TF) != 0 || (in.dr7() & BREAKPOINTS) != 0) {
      return Result.TRAP;
    }
    long gla = in.gla();
    if (plan.address.linear(in, BitTests.byteOffset(plan, in)) != gla) {
      return Result.ADDRESS;
    }
    int start = (int) gla & 7;
    if (start + plan.size > in.windowCount()) {
      return Result.SPILLS;
    }
    if (plan.locked && start + plan.size > 8 && plan.operation != Operation.CMPXCHG16B) {
      return Result.SPLIT_LOCK;
    }
    return misaligned(plan, in, gla) ? Result.ALIGNMENT : null;
  }

  private static boolean misaligned(Plan plan, ExitState in, long gla) {
    if ((gla & (plan.size - 1)) == 0) {
      return false;
    }
    boolean checked = (in.rflags() & Flags.AC) != 0 && (in.cr0() & CR0_AM) != 0 && in.cpl() == 3;
    return plan.aligned || checked;
  }

  private static Result execute(Plan plan, ExitState in, Effect out) {
    switch (plan.operation) {
      case MOV -> out.write(out.offset, plan.size, operand(plan, in));
      case MOVBE ->
          out.write(
              out.offset, plan.size, Long.reverseBytes(operand(plan, in)) >>> 64 - 8 * plan.size);
      case SETCC ->
          out.write(out.offset, 1, Flags.holds((int) plan.immediate, in.rflags()) ? 1 : 0);
      case MOV_SEGMENT -> {
        return Stores.segment(plan, in, out);
      }
      case MOV_XMM -> {
        return Stores.xmm(plan, in, out);
      }
      case ADD, OR, ADC, SBB, AND, SUB, XOR -> Arithmetic.binary(plan, in, out);
      case INC, DEC, NOT, NEG -> Arithmetic.unary(plan, out);
      case ROL, ROR, RCL, RCR -> Rotates.execute(plan, in, out);
      case SHL, SHR, SAR -> Shifts.single(plan, in, out);
      case SHLD, SHRD -> {
        return Shifts.pair(plan, in, out);
      }
      case BTS, BTR, BTC -> BitTests.execute(plan, in, out);
      case XCHG, XADD, CMPXCHG -> Exchanges.execute(plan, in, out);
      case CMPXCHG8B -> Exchanges.compare8(in, out);
      case CMPXCHG16B -> Exchanges.compare16(in, out);
      case STOS -> {
        return Strings.stos(plan, in, out);
      }
      case MOVS -> {
        return Strings.movs(plan, in, out);
      }
      case PUSH -> {
        return Stack.push(plan, in, out);
      }
      case POP -> {
        return Stack.pop(plan, in, out);
      }
      case CALL -> {
        return (in.cr4() & CR4_CET) != 0 ? Result.CET : Stack.call(plan, in, out);
      }
    }
    return Result.WRITE;
  }

  /** The second operand: a general register or an immediate; bits above the size are leftovers. */
  static long operand(Plan plan, ExitState in) {
    return plan.register == Plan.NONE
        ? plan.immediate
        : in.gpr(plan.register) >>> plan.registerShift;
  }

  /** The end of every instruction; a REP with elements left has not ended. */
  private static Result finish(Plan plan, ExitState in, Effect out) {
    out.mask &= ~in.done();
    if (plan.repeated && out.rip == in.rip()) {
      return Result.WRITE;
    }
    out.rflags &= ~Flags.RF;
    return inRange(plan.bits, in, out) ? Result.WRITE : Result.RIP_RANGE;
  }

  private static boolean inRange(int bits, ExitState in, Effect out) {
    if (bits == 64) {
      int unused = (in.cr4() & CR4_LA57) != 0 ? 7 : 16;
      return out.rip << unused >> unused == out.rip;
    }
    return out.rip >>> (bits == 32 ? 32 : 16) == 0;
  }
}
