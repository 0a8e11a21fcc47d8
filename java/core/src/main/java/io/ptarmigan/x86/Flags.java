// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/**
 * RFLAGS bits and their computation (SDM vol. 1, 3.4.3). Values are zero-extended from their size.
 */
final class Flags {
  static final long CF = 1;
  static final long PF = 1 << 2;
  static final long AF = 1 << 4;
  static final long ZF = 1 << 6;
  static final long SF = 1 << 7;
  static final long TF = 1 << 8;
  static final long DF = 1 << 10;
  static final long OF = 1 << 11;
  static final long RF = 1 << 16;
  static final long AC = 1 << 18;
  static final long STATUS = CF | PF | AF | ZF | SF | OF;

  private Flags() {}

  /** The bits of a value of {@code size} bytes, 1 to 8. */
  static long valueMask(int size) {
    return -1L >>> (64 - 8 * size);
  }

  /** Most significant bit of a value of {@code size} bytes, as 0 or 1. */
  static long sign(long value, int size) {
    return value >>> (8 * size - 1) & 1;
  }

  /** SF, ZF and PF of a result. */
  static long ofResult(long result, int size) {
    long flags = sign(result, size) * SF;
    if (result == 0) {
      flags |= ZF;
    }
    if ((Long.bitCount(result & 0xff) & 1) == 0) {
      flags |= PF;
    }
    return flags;
  }

  /** All status flags of {@code sum = a + b}, or plus one. */
  static long ofSum(long a, long b, long sum, int size) {
    long carry = sign(a & b | (a | b) & ~sum, size);
    long overflow = sign((a ^ sum) & (b ^ sum), size);
    return ofResult(sum, size) | carry * CF | overflow * OF | (a ^ b ^ sum) & AF;
  }

  /** All status flags of {@code difference = a - b}, or minus one. */
  static long ofDifference(long a, long b, long difference, int size) {
    long borrow = sign(~a & b | (~a | b) & difference, size);
    long overflow = sign((a ^ b) & (a ^ difference), size);
    return ofResult(difference, size) | borrow * CF | overflow * OF | (a ^ b ^ difference) & AF;
  }

  /**
   * Whether a condition holds.
   *
   * @param condition 0 to 15 as in the low bits of SETcc's opcode (SDM vol. 1, appendix B)
   */
  static boolean holds(int condition, long flags) {
    boolean base =
        switch (condition >> 1) {
          case 0 -> (flags & OF) != 0;
          case 1 -> (flags & CF) != 0;
          case 2 -> (flags & ZF) != 0;
          case 3 -> (flags & (CF | ZF)) != 0;
          case 4 -> (flags & SF) != 0;
          case 5 -> (flags & PF) != 0;
          case 6 -> less(flags);
          default -> less(flags) || (flags & ZF) != 0;
        };
    return base == ((condition & 1) == 0);
  }

  private static boolean less(long flags) {
    return (flags & SF) != 0 != ((flags & OF) != 0);
  }
}
