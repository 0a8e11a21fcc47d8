// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** Operations on memory with a carry, a sign, or neither. */
final class Arithmetic {
  private Arithmetic() {}

  static void binary(Plan plan, ExitState in, Effect out) {
    int size = plan.size;
    long ones = Flags.valueMask(size);
    long a = out.read(out.offset, size);
    long b = Emulator.operand(plan, in) & ones;
    long carry = in.rflags() & Flags.CF;
    switch (plan.operation) {
      case ADD -> sum(out, size, a, b, a + b & ones);
      case ADC -> sum(out, size, a, b, a + b + carry & ones);
      case SUB -> difference(out, size, a, b, a - b & ones);
      case SBB -> difference(out, size, a, b, a - b - carry & ones);
      case AND -> logical(plan, out, a & b);
      case OR -> logical(plan, out, a | b);
      default -> logical(plan, out, a ^ b);
    }
  }

  private static void sum(Effect out, int size, long a, long b, long sum) {
    out.write(out.offset, size, sum);
    out.setFlags(Flags.STATUS, Flags.ofSum(a, b, sum, size));
  }

  private static void difference(Effect out, int size, long a, long b, long difference) {
    out.write(out.offset, size, difference);
    out.setFlags(Flags.STATUS, Flags.ofDifference(a, b, difference, size));
  }

  private static void logical(Plan plan, Effect out, long result) {
    out.write(out.offset, plan.size, result);
    long defined = Flags.STATUS & ~UndefinedFlags.of(plan.operation, plan.size, 0);
    out.setFlags(defined, Flags.ofResult(result, plan.size));
  }

  static void unary(Plan plan, Effect out) {
    int size = plan.size;
    long ones = Flags.valueMask(size);
    long a = out.read(out.offset, size);
    switch (plan.operation) {
      case INC -> step(out, size, a + 1 & ones, Flags.ofSum(a, 1, a + 1 & ones, size));
      case DEC -> step(out, size, a - 1 & ones, Flags.ofDifference(a, 1, a - 1 & ones, size));
      case NOT -> out.write(out.offset, size, ~a);
      default -> difference(out, size, 0, a, -a & ones);
    }
  }

  /** INC and DEC leave CF alone. */
  private static void step(Effect out, int size, long result, long flags) {
    out.write(out.offset, size, result);
    out.setFlags(Flags.STATUS & ~Flags.CF, flags);
  }
}
