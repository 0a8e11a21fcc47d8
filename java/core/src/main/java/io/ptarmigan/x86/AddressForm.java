// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** How an instruction computes an address (SDM vol. 1, 3.7.5). */
final class AddressForm {
  /** Base that stands for the instruction's own address. */
  static final int RIP = 16;

  static final int NONE = -1;

  private final int base;
  private final int index;
  private final int shift;
  private final long displacement;
  private final int segment;

  /** Bits of an effective address: 16, 32 or 64 ones. */
  final long mask;

  private final long linearMask;

  /**
   * @param base general register, {@link #RIP} or {@link #NONE}
   * @param index general register or {@link #NONE}
   * @param shift binary logarithm of the scale
   * @param addressBytes 2, 4 or 8
   * @param segment es 0 to gs 5; in 64-bit code all but fs and gs count as 0
   * @param bits of the code segment
   */
  AddressForm(
      int base, int index, int shift, long displacement, int addressBytes, int segment, int bits) {
    this.base = base;
    this.index = index;
    this.shift = shift;
    this.displacement = displacement;
    this.mask = Flags.valueMask(addressBytes);
    this.segment = bits == 64 && segment < 4 ? NONE : segment;
    this.linearMask = bits == 64 ? -1 : 0xffff_ffffL;
  }

  /**
   * Linear address.
   *
   * @param offset bytes added to the displacement
   */
  long linear(ExitState in, long offset) {
    long effective = displacement + offset;
    if (base != NONE) {
      effective += base == RIP ? in.rip() : in.gpr(base);
    }
    if (index != NONE) {
      effective += in.gpr(index) << shift;
    }
    effective &= mask;
    return segment == NONE
        ? effective & linearMask
        : effective + in.segmentBase(segment) & linearMask;
  }

  int base() {
    return base;
  }

  int index() {
    return index;
  }

  int shift() {
    return shift;
  }

  long displacement() {
    return displacement;
  }

  /** Segment register whose base counts, or {@link #NONE}. */
  int segment() {
    return segment;
  }
}
