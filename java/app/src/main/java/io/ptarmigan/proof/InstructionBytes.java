// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

/** Up to 16 instruction bytes being put together. Reused. */
final class InstructionBytes {
  private long low;
  private long high;
  private int count;

  void clear() {
    low = 0;
    high = 0;
    count = 0;
  }

  void add(int value) {
    long bits = value & 0xffL;
    if (count < 8) {
      low |= bits << 8 * count;
    } else {
      high |= bits << 8 * (count - 8);
    }
    count++;
  }

  /** Adds the lowest bytes of a number, lowest first. */
  void add(long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      add((int) (value >>> 8 * i));
    }
  }

  /** Overwrites 4 bytes. */
  void patch(int at, int value) {
    InstructionBytes patched = new InstructionBytes();
    for (int i = 0; i < count; i++) {
      boolean within = i >= at && i < at + 4;
      patched.add(within ? value >>> 8 * (i - at) : get(i));
    }
    low = patched.low;
    high = patched.high;
  }

  private int get(int at) {
    return (int) ((at < 8 ? low >>> 8 * at : high >>> 8 * (at - 8)) & 0xff);
  }

  long low() {
    return low;
  }

  long high() {
    return high;
  }

  int count() {
    return count;
  }
}
