// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** PUSH, POP to memory, near CALL (SDM vol. 2A and 2B). */
final class Stack {
  private Stack() {}

  static Result push(Plan plan, ExitState in, Effect out) {
    out.interruptLike = true;
    long value;
    if (plan.source != null) {
      if (in.sourceCount() < plan.size) {
        return needSource(plan, in, out);
      }
      value = Strings.source(in, 0, plan.size);
    } else if (plan.segmentOperand) {
      if (in.selector(plan.register) < 0) {
        return Result.NEEDS_SELECTOR;
      }
      value = in.selector(plan.register);
    } else {
      value = Emulator.operand(plan, in);
    }
    store(plan, in, out, value);
    return Result.WRITE;
  }

  static Result call(Plan plan, ExitState in, Effect out) {
    out.interruptLike = true;
    long target;
    if (plan.source != null) {
      if (in.sourceCount() < plan.size) {
        return needSource(plan, in, out);
      }
      target = Strings.source(in, 0, plan.size);
    } else if (plan.register != Plan.NONE) {
      target = in.gpr(plan.register);
    } else {
      target = in.rip() + plan.immediate;
    }
    store(plan, in, out, out.rip);
    out.rip = target & Flags.valueMask(plan.size);
    return Result.WRITE;
  }

  private static void store(Plan plan, ExitState in, Effect out, long value) {
    out.write(out.offset, plan.size, value);
    moveStackPointer(in, out, plan.address.mask, -plan.size);
  }

  static Result pop(Plan plan, ExitState in, Effect out) {
    if (in.sourceCount() < plan.size) {
      return needSource(plan, in, out);
    }
    out.write(out.offset, plan.size, Strings.source(in, 0, plan.size));
    moveStackPointer(in, out, plan.source.mask, plan.size);
    return Result.WRITE;
  }

  private static Result needSource(Plan plan, ExitState in, Effect out) {
    return out.needSource(plan.source.linear(in, 0), plan.size);
  }

  private static void moveStackPointer(ExitState in, Effect out, long stackMask, int by) {
    int bytes = Long.bitCount(stackMask) / 8;
    out.setOperand(in, Registers.RSP, 0, bytes, in.gpr(Registers.RSP) + by);
  }
}
