// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** SHL, SHR, SAR, SHLD, SHRD (SDM vol. 2B, "SAL/SAR/SHL/SHR", "SHLD", "SHRD"). */
final class Shifts {
  private Shifts() {}

  static void single(Plan plan, ExitState in, Effect out) {
    int size = plan.size;
    int bits = 8 * size;
    int count = Rotates.maskedCount(size, Emulator.operand(plan, in));
    long a = out.read(out.offset, size);
    if (count == 0) {
      out.write(out.offset, size, a);
      return;
    }
    long result;
    long carry;
    long overflow;
    switch (plan.operation) {
      case SHL -> {
        result = a << count & Flags.valueMask(size);
        carry = a >>> bits - count & 1;
        overflow = Flags.sign(result, size) ^ carry;
      }
      case SHR -> {
        result = a >>> count;
        carry = a >>> count - 1 & 1;
        overflow = Flags.sign(a, size);
      }
      default -> {
        long extended = a << 64 - bits >> 64 - bits;
        result = extended >> count & Flags.valueMask(size);
        carry = extended >> count - 1 & 1;
        overflow = 0;
      }
    }
    finish(plan, out, count, result, carry, overflow);
  }

  static Result pair(Plan plan, ExitState in, Effect out) {
    int size = plan.size;
    int bits = 8 * size;
    int count = Rotates.maskedCount(size, plan.countInCl ? in.gpr(Registers.RCX) : plan.immediate);
    long ones = Flags.valueMask(size);
    long a = out.read(out.offset, size);
    long b = in.gpr(plan.register) & ones;
    if (count > bits) {
      return Result.UNDEFINED;
    }
    if (count == 0) {
      out.write(out.offset, size, a);
      return Result.WRITE;
    }
    boolean left = plan.operation == Operation.SHLD;
    long result = (left ? a << count | b >>> bits - count : a >>> count | b << bits - count) & ones;
    long carry = (left ? a >>> bits - count : a >>> count - 1) & 1;
    finish(plan, out, count, result, carry, Flags.sign(a ^ result, size));
    return Result.WRITE;
  }

  private static void finish(
      Plan plan, Effect out, int count, long result, long carry, long overflow) {
    out.write(out.offset, plan.size, result);
    long defined = Flags.STATUS & ~UndefinedFlags.of(plan.operation, plan.size, count);
    long flags = Flags.ofResult(result, plan.size) | carry * Flags.CF | overflow * Flags.OF;
    out.setFlags(defined, flags);
  }
}
