// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** Stores of registers that not every record holds. */
final class Stores {
  private Stores() {}

  /** MOV m16, Sreg: two bytes whatever the operand size (SDM vol. 2B, MOV). */
  static Result segment(Plan plan, ExitState in, Effect out) {
    int selector = in.selector(plan.register);
    if (selector < 0) {
      return Result.NEEDS_SELECTOR;
    }
    out.write(out.offset, plan.size, selector);
    return Result.WRITE;
  }

  static Result xmm(Plan plan, ExitState in, Effect out) {
    if (!in.hasXmm(plan.register)) {
      return out.needXmm(plan.register);
    }
    long low = plan.upperHalf ? in.xmmHigh(plan.register) : in.xmmLow(plan.register);
    out.write(out.offset, Math.min(plan.size, 8), low);
    if (plan.size == 16) {
      out.write(out.offset + 8, 8, in.xmmHigh(plan.register));
      // One access on a processor with AVX (SDM vol. 3A, 9.1.1).
      out.wide = (in.gla() & 15) == 0;
    }
    return Result.WRITE;
  }
}
