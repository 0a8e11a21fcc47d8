// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

/**
 * A ModRM operand made to point at a given address: chooses registers and displacement, then says
 * which values they need. Reused from case to case.
 */
final class AddressPlan {
  static final int NONE = -1;
  private static final int RSP = 4;

  private final Values values;

  int base;
  int index;
  int segment;
  long segmentBase;
  private int scale;
  private int displacementBytes;
  private long displacement;
  private boolean relative;
  private long mask;

  /** To add to the address of the next instruction so as to meet the target; for RIP only. */
  private long wanted;

  AddressPlan(Values values) {
    this.values = values;
  }

  /** No operand at all. */
  void clear() {
    base = NONE;
    index = NONE;
    segment = NONE;
    segmentBase = 0;
  }

  /** Mask of the registers that the address is made of. */
  int registers() {
    return (base == NONE ? 0 : 1 << base) | (index == NONE ? 0 : 1 << index);
  }

  /**
   * Chooses everything and sets the registers.
   *
   * @param target linear address of the access
   * @param extra bytes that the instruction itself adds to the effective address
   * @param forbidden mask of registers that hold something else
   */
  void choose(Cell cell, OracleCase exit, long target, long extra, int forbidden) {
    mask = cell.prefixes().address32 ? 0xffff_ffffL : -1;
    clear();
    scale = values.below(4);
    relative = false;
    displacementBytes = 0;
    displacement = 0;
    long effective = chooseSegment(cell, target, extra);
    switch (cell.addressing()) {
      case BASE -> chooseBase(exit, effective, 0, forbidden);
      case BASE_DISP8 -> chooseBase(exit, effective, 1, forbidden);
      case BASE_DISP32 -> chooseBase(exit, effective, 4, forbidden);
      case BASE_INDEX -> chooseBoth(exit, effective, 0, forbidden);
      case BASE_INDEX_DISP8 -> chooseBoth(exit, effective, 1, forbidden);
      case BASE_INDEX_DISP32 -> chooseBoth(exit, effective, 4, forbidden);
      case INDEX_DISP32 -> chooseIndex(exit, effective, forbidden);
      case DISP32 -> {
        displacementBytes = 4;
        displacement = effective;
      }
      default -> {
        relative = true;
        displacementBytes = 4;
        wanted = effective;
      }
    }
  }

  /** Splits the target into a segment base and an effective address without {@code extra}. */
  private long chooseSegment(Cell cell, long target, long extra) {
    if (!cell.prefixes().segment) {
      return target - extra & mask;
    }
    segment = 4 + values.below(2);
    long effective =
        switch (cell.addressing()) {
          case DISP32 -> values.displacement();
          case RIP_DISP32 -> near + values.displacement() / 2;
          // A base or index takes up whatever the instruction adds.
          default -> (values.oneIn(2) ? values.displacement() : values.any() >>> 18) - extra;
        };
    segmentBase = target - (effective + extra & mask);
    return effective & mask;
  }

  /** An address within reach of a RIP-relative operand; set before {@link #choose}. */
  long near;

  private int pick(int forbidden, boolean base, boolean withoutDisplacement) {
    while (true) {
      int register = values.below(16);
      boolean encodable = base ? !withoutDisplacement || (register & 7) != 5 : register != RSP;
      if ((forbidden >> register & 1) == 0 && encodable) {
        return register;
      }
    }
  }

  private long chooseDisplacement(int bytes) {
    displacementBytes = bytes;
    displacement = bytes == 0 ? 0 : bytes == 1 ? (byte) values.any() : values.displacement();
    return displacement;
  }

  private void chooseBase(OracleCase exit, long effective, int bytes, int forbidden) {
    base = pick(forbidden, true, bytes == 0);
    set(exit, base, effective - chooseDisplacement(bytes));
  }

  private void chooseBoth(OracleCase exit, long effective, int bytes, int forbidden) {
    base = pick(forbidden, true, bytes == 0);
    do {
      index = pick(forbidden, false, false);
    } while (index == base && bytes == 0);
    if (index == base) {
      long times = 1 + (1L << scale);
      displacementBytes = bytes;
      displacement = Long.remainderUnsigned(effective, times);
      set(exit, base, Long.divideUnsigned(effective, times));
      return;
    }
    long indexed = values.oneIn(2) ? values.displacement() : values.any();
    set(exit, index, indexed);
    set(exit, base, effective - (exit.gpr(index) << scale) - chooseDisplacement(bytes));
  }

  private void chooseIndex(OracleCase exit, long effective, int forbidden) {
    index = pick(forbidden, false, false);
    displacementBytes = 4;
    long low = (1L << scale) - 1;
    displacement = values.displacement() & ~low | effective & low;
    long rest = effective - displacement & mask;
    set(exit, index, mask == -1 ? rest >> scale : rest >>> scale);
  }

  /** With 32-bit addresses the upper half is noise. */
  private void set(OracleCase exit, int register, long value) {
    exit.setGpr(register, mask == -1 ? value : value & mask | values.any() << 32);
  }

  /** Bits X and B; B means nothing where there is no base, and is set there now and then. */
  int rexBits() {
    boolean meaningless = base == NONE && values.oneIn(4);
    return (index >= 8 ? 2 : 0) | (base >= 8 || meaningless ? 1 : 0);
  }

  /** Appends ModRM, SIB and displacement; returns where the displacement lies. */
  int encode(InstructionBytes bytes, int register) {
    int middle = (register & 7) << 3;
    if (relative) {
      bytes.add(middle | 5);
    } else if (base == NONE) {
      bytes.add(middle | 4);
      bytes.add((index == NONE ? 4 : index & 7) << 3 | scale << 6 | 5);
    } else {
      int mod = displacementBytes == 0 ? 0 : displacementBytes == 1 ? 1 : 2;
      boolean sib = index != NONE || (base & 7) == RSP || values.oneIn(8);
      bytes.add(mod << 6 | middle | (sib ? 4 : base & 7));
      if (sib) {
        bytes.add(scale << 6 | (index == NONE ? 4 : index & 7) << 3 | base & 7);
      }
    }
    int at = bytes.count();
    bytes.add(displacement, displacementBytes);
    return at;
  }

  /** Completes a RIP-relative operand once the length is known. */
  void finish(InstructionBytes bytes, int at, long rip) {
    if (relative) {
      bytes.patch(at, (int) (wanted - rip - bytes.count()));
    }
  }
}
