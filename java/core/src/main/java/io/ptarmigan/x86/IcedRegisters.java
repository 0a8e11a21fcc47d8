// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** iced's Register enumeration (iced_x86.d.ts) in terms of instruction encoding. */
final class IcedRegisters {
  static final int NONE = 0;
  static final int XMM0 = 77;

  private static final int AL = 1;
  private static final int AH = 5;
  private static final int SPL = 9;
  private static final int AX = 21;
  private static final int EAX = 37;
  private static final int RAX = 53;
  private static final int EIP = 69;
  private static final int RIP = 70;
  private static final int ES = 71;
  private static final int GS = 76;

  private IcedRegisters() {}

  static boolean isGeneral(int register) {
    return register >= AL && register < EIP;
  }

  static boolean isHighByte(int register) {
    return register >= AH && register < SPL;
  }

  /** Number of a general register; that of RAX for AH, and so on. */
  static int number(int register) {
    if (register >= AX) {
      return (register - AX) % 16;
    }
    if (register >= SPL) {
      return register - SPL + 4;
    }
    return (register - AL) % 4;
  }

  /** Number of a segment register, or {@link Plan#NONE} if it is none. */
  static int segment(int register) {
    return register >= ES && register <= GS ? register - ES : Plan.NONE;
  }

  static int addressBase(int register) {
    if (register == NONE) {
      return AddressForm.NONE;
    }
    return register == RIP || register == EIP ? AddressForm.RIP : number(register);
  }

  /** Address size in bytes that a base or index register implies. */
  static int addressBytes(int register) {
    if (register == EIP) {
      return 4;
    }
    if (register == RIP || register >= RAX) {
      return 8;
    }
    return register >= EAX ? 4 : 2;
  }
}
