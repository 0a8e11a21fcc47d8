// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** ROL, ROR, RCL, RCR (SDM vol. 2B, "RCL/RCR/ROL/ROR"). */
final class Rotates {
  private Rotates() {}

  /** Count of a shift or rotate after the processor's masking. */
  static int maskedCount(int size, long count) {
    return (int) count & (size == 8 ? 63 : 31);
  }

  static void execute(Plan plan, ExitState in, Effect out) {
    int size = plan.size;
    int count = maskedCount(size, Emulator.operand(plan, in));
    long a = out.read(out.offset, size);
    long carry = in.rflags() & Flags.CF;
    switch (plan.operation) {
      case ROL -> {
        long result = left(a, count, size);
        finish(plan, out, count, result, result & 1, Flags.sign(result, size) ^ result & 1);
      }
      case ROR -> {
        long result = left(a, 8 * size - count % (8 * size), size);
        finish(plan, out, count, result, Flags.sign(result, size), topBitsDiffer(result, size));
      }
      case RCL -> leftThroughCarry(plan, out, a, count, carry);
      default -> rightThroughCarry(plan, out, a, count, carry);
    }
  }

  private static long left(long a, int count, int size) {
    int bits = 8 * size;
    int turn = count % bits;
    return turn == 0 ? a : (a << turn | a >>> bits - turn) & Flags.valueMask(size);
  }

  private static long topBitsDiffer(long value, int size) {
    return Flags.sign(value, size) ^ Flags.sign(value << 1, size);
  }

  /** Turns the operand with CF above it, 9, 17, 33 or 65 bits. */
  private static void leftThroughCarry(Plan plan, Effect out, long a, int count, long carry) {
    int size = plan.size;
    int bits = 8 * size;
    int turn = count % (bits + 1);
    long result = a;
    long carryOut = carry;
    if (turn != 0) {
      carryOut = a >>> bits - turn & 1;
      long turnedIn = turn == 1 ? 0 : a >>> bits + 1 - turn;
      result = (a << turn | carry << turn - 1 | turnedIn) & Flags.valueMask(size);
    }
    finish(plan, out, count, result, carryOut, Flags.sign(result, size) ^ carryOut);
  }

  private static void rightThroughCarry(Plan plan, Effect out, long a, int count, long carry) {
    int size = plan.size;
    int bits = 8 * size;
    int turn = count % (bits + 1);
    long result = a;
    long carryOut = carry;
    if (turn != 0) {
      carryOut = a >>> turn - 1 & 1;
      long turnedIn = turn == 1 ? 0 : a << bits + 1 - turn;
      result = (a >>> turn | carry << bits - turn | turnedIn) & Flags.valueMask(size);
    }
    finish(plan, out, count, result, carryOut, topBitsDiffer(result, size));
  }

  private static void finish(
      Plan plan, Effect out, int count, long result, long carry, long overflow) {
    out.write(out.offset, plan.size, result);
    if (count != 0) {
      long undefined = UndefinedFlags.of(plan.operation, plan.size, count);
      out.setFlags((Flags.CF | Flags.OF) & ~undefined, carry * Flags.CF | overflow * Flags.OF);
    }
  }
}
