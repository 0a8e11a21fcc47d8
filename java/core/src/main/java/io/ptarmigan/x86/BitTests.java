// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** BTS, BTR, BTC (SDM vol. 2A). */
final class BitTests {
  private BitTests() {}

  /**
   * Bytes that a bit offset in a register adds to the address: it is signed, reaches anywhere, and
   * counts in units of the operand size (SDM vol. 2A, 3.1.1.9, "Bit(BitBase, BitOffset)"). 0 for
   * all other instructions.
   */
  static long byteOffset(Plan plan, ExitState in) {
    return plan.bitOffset ? byteOffset(plan.size, in.gpr(plan.register)) : 0;
  }

  private static long byteOffset(int size, long register) {
    long bitOffset =
        switch (size) {
          case 2 -> (short) register;
          case 4 -> (int) register;
          default -> register;
        };
    return (bitOffset >> 3) & -size;
  }

  static void execute(Plan plan, ExitState in, Effect out) {
    int size = plan.size;
    int bit = (int) Emulator.operand(plan, in) & (8 * size - 1);
    long a = out.read(out.offset, size);
    long one = 1L << bit;
    long result =
        switch (plan.operation) {
          case BTS -> a | one;
          case BTR -> a & ~one;
          default -> a ^ one;
        };
    out.write(out.offset, size, result);
    out.setFlags(Flags.CF, a >>> bit & 1);
  }
}
