// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** XCHG, XADD and the CMPXCHG family (SDM vol. 2A and 2C). */
final class Exchanges {
  private Exchanges() {}

  static void execute(Plan plan, ExitState in, Effect out) {
    int size = plan.size;
    long ones = Flags.valueMask(size);
    long memory = out.read(out.offset, size);
    long operand = Emulator.operand(plan, in) & ones;
    switch (plan.operation) {
      case XCHG -> {
        out.write(out.offset, size, operand);
        out.setOperand(in, plan.register, plan.registerShift, size, memory);
      }
      case XADD -> {
        long sum = memory + operand & ones;
        out.write(out.offset, size, sum);
        out.setOperand(in, plan.register, plan.registerShift, size, memory);
        out.setFlags(Flags.STATUS, Flags.ofSum(memory, operand, sum, size));
      }
      default -> compare(size, in, out, memory, operand);
    }
  }

  /** A failed comparison writes the old value back: the processor always completes the write. */
  private static void compare(int size, ExitState in, Effect out, long memory, long operand) {
    long accumulator = in.gpr(Registers.RAX) & Flags.valueMask(size);
    long difference = accumulator - memory & Flags.valueMask(size);
    out.setFlags(Flags.STATUS, Flags.ofDifference(accumulator, memory, difference, size));
    if (difference == 0) {
      out.write(out.offset, size, operand);
    } else {
      out.write(out.offset, size, memory);
      out.setOperand(in, Registers.RAX, 0, size, memory);
    }
  }

  static void compare8(ExitState in, Effect out) {
    long memory = out.read(out.offset, 8);
    if (memory == pair(in, Registers.RAX, Registers.RDX)) {
      out.write(out.offset, 8, pair(in, Registers.RBX, Registers.RCX));
      out.setFlags(Flags.ZF, Flags.ZF);
    } else {
      out.write(out.offset, 8, memory);
      out.setOperand(in, Registers.RAX, 0, 4, memory);
      out.setOperand(in, Registers.RDX, 0, 4, memory >>> 32);
      out.setFlags(Flags.ZF, 0);
    }
  }

  private static long pair(ExitState in, int low, int high) {
    return in.gpr(low) & 0xffff_ffffL | in.gpr(high) << 32;
  }

  static void compare16(ExitState in, Effect out) {
    long low = out.read(out.offset, 8);
    long high = out.read(out.offset + 8, 8);
    if (low == in.gpr(Registers.RAX) && high == in.gpr(Registers.RDX)) {
      out.write(out.offset, 8, in.gpr(Registers.RBX));
      out.write(out.offset + 8, 8, in.gpr(Registers.RCX));
      out.setFlags(Flags.ZF, Flags.ZF);
    } else {
      out.write(out.offset, 8, low);
      out.write(out.offset + 8, 8, high);
      out.setGpr(Registers.RAX, low);
      out.setGpr(Registers.RDX, high);
      out.setFlags(Flags.ZF, 0);
    }
    out.wide = true;
  }
}
