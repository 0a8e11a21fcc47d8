// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/**
 * A decoded instruction, immutable: all that can be known from its bytes and the code size alone.
 */
public final class Plan {
  static final int NONE = -1;

  // What it was decoded from.
  final int bits;
  final int length;
  private final long low;
  private final long high;
  private final long lowMask;
  private final long highMask;

  /** Why this instruction is never emulated; null if it is. */
  final Result refusal;

  final Operation operation;

  /** Bytes stored: 1, 2, 4, 8 or 16. */
  final int size;

  /** Where it stores. */
  final AddressForm address;

  /** General register that is the second operand, or {@link #NONE}; XMM or segment likewise. */
  final int register;

  /** 8 where the operand is AH, CH, DH or BH, else 0. */
  final int registerShift;

  /**
   * The second operand where there is no register; SHLD's and SHRD's count; SETcc's condition;
   * CALL's target from the instruction's first byte.
   */
  final long immediate;

  /** SHLD, SHRD: the count is in CL. */
  final boolean countInCl;

  /** Where it reads besides: MOVS, POP, PUSH and CALL through memory; else null. */
  final AddressForm source;

  /** PUSH: {@link #register} is a segment register. */
  final boolean segmentOperand;

  /** LOCK prefix or XCHG: one indivisible access. */
  final boolean locked;

  final boolean repeated;

  /** BTS, BTR, BTC with the bit offset in a register, which moves the address. */
  final boolean bitOffset;

  /** The processor faults where the address is not a multiple of the size. */
  final boolean aligned;

  /** MOVHPS, MOVHPD: the upper half of the XMM register. */
  final boolean upperHalf;

  private Plan(Draft draft, int bits, long low, long high) {
    this.bits = bits;
    this.length = draft.length;
    this.lowMask = length >= 8 ? -1 : (1L << 8 * length) - 1;
    this.highMask = length <= 8 ? 0 : length >= 16 ? -1 : (1L << 8 * (length - 8)) - 1;
    this.low = low & lowMask;
    this.high = high & highMask;
    this.refusal = draft.refusal;
    this.operation = draft.operation;
    this.size = draft.size;
    this.address = draft.address;
    this.register = draft.register;
    this.registerShift = draft.registerShift;
    this.immediate = draft.immediate;
    this.countInCl = draft.countInCl;
    this.source = draft.source;
    this.segmentOperand = draft.segmentOperand;
    this.locked = draft.locked;
    this.repeated = draft.repeated;
    this.bitOffset = draft.register != NONE && isBitTest(draft.operation);
    this.aligned = draft.aligned;
    this.upperHalf = draft.upperHalf;
  }

  private static boolean isBitTest(Operation operation) {
    return operation == Operation.BTS || operation == Operation.BTR || operation == Operation.BTC;
  }

  /** Whether these bytes begin with the instruction of this plan. */
  boolean matches(int codeBits, long first, long second, int count) {
    return (first & lowMask) == low
        && (second & highMask) == high
        && length <= count
        && bits == codeBits;
  }

  /** In words: the operation and its size, or why it is not emulated. */
  @Override
  public String toString() {
    if (refusal != null) {
      return "not emulated: " + refusal.text();
    }
    return (locked ? "locked " : "")
        + (repeated ? "repeated " : "")
        + operation
        + " of "
        + size
        + " bytes, length "
        + length;
  }

  /** Plan being filled in by a decoder. */
  static final class Draft {
    int length;
    Result refusal;
    Operation operation;
    int size;
    AddressForm address;
    int register = NONE;
    int registerShift;
    long immediate;
    boolean countInCl;
    AddressForm source;
    boolean segmentOperand;
    boolean locked;
    boolean repeated;
    boolean aligned;
    boolean upperHalf;

    Draft(int length) {
      this.length = length;
    }

    Plan plan(int bits, long low, long high) {
      return new Plan(this, bits, low, high);
    }

    Plan refuse(Result reason, int bits, long low, long high) {
      refusal = reason;
      return plan(bits, low, high);
    }
  }
}
