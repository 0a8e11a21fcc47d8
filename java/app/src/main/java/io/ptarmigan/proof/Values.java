// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import java.util.SplittableRandom;

/** Random numbers that like the edges where carries, signs and masks go wrong. */
final class Values {
  private final SplittableRandom random;

  Values(long seed) {
    random = new SplittableRandom(seed);
  }

  /** 0 to {@code bound - 1}. */
  int below(int bound) {
    return random.nextInt(bound);
  }

  boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  long any() {
    return random.nextLong();
  }

  /** A register or an entry of memory. */
  long edgy() {
    long bits = random.nextLong();
    return switch ((int) (bits >>> 60)) {
      case 0 -> 0;
      case 1 -> -1;
      case 2 -> bits & 0xff;
      case 3 -> 1L << (bits & 63);
      case 4 -> -1L << (bits & 63);
      case 5 -> (1L << (bits & 63)) - 1;
      case 6 -> 0x8000_0080_8000_8080L ^ (bits & 3);
      case 7 -> 0x7fff_ff7f_7fff_7f7fL ^ (bits & 3);
      default -> bits;
    };
  }

  /** A shift count: mostly up to the operand's size, also above it and above the mask. */
  int count(int size) {
    return oneIn(3) ? below(72) : below(8 * size + 1);
  }

  /** Small numbers, byte and word edges, and everything else. */
  long displacement() {
    long bits = random.nextLong();
    return switch ((int) (bits >>> 62)) {
      case 0 -> (byte) bits;
      case 1 -> (short) bits;
      default -> (int) bits;
    };
  }
}
