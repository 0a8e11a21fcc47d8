// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** iced's Mnemonic enumeration (iced_x86.d.ts) as far as the emulator knows it. */
final class IcedMnemonics {
  static final int CALL = 59;
  static final int PUSH = 640;

  private IcedMnemonics() {}

  /** Operation of an instruction whose first operand is memory; null if it is unknown. */
  static Operation memoryOperation(int mnemonic) {
    return switch (mnemonic) {
      case 414, 435 -> Operation.MOV; // MOV MOVNTI
      case 417 -> Operation.MOVBE;
      case 7 -> Operation.ADD;
      case 467 -> Operation.OR;
      case 5 -> Operation.ADC;
      case 681 -> Operation.SBB;
      case 21 -> Operation.AND;
      case 740 -> Operation.SUB;
      case 1518 -> Operation.XOR;
      case 279 -> Operation.INC;
      case 137 -> Operation.DEC;
      case 466 -> Operation.NOT;
      case 464 -> Operation.NEG;
      case 664 -> Operation.ROL;
      case 665 -> Operation.ROR;
      case 644 -> Operation.RCL;
      case 647 -> Operation.RCR;
      case 712, 676 -> Operation.SHL; // SHL SAL
      case 715 -> Operation.SHR;
      case 678 -> Operation.SAR;
      case 713 -> Operation.SHLD;
      case 716 -> Operation.SHRD;
      case 57 -> Operation.BTS;
      case 56 -> Operation.BTR;
      case 55 -> Operation.BTC;
      case 1509 -> Operation.XCHG;
      case 1506 -> Operation.XADD;
      case 101 -> Operation.CMPXCHG;
      case 103 -> Operation.CMPXCHG8B;
      case 102 -> Operation.CMPXCHG16B;
      case 590 -> Operation.POP;
      case 686, 687, 688, 689, 690, 691, 692, 693, 694, 695, 696, 697, 698, 699, 700, 701 ->
          Operation.SETCC;
      default -> isXmmStore(mnemonic) ? Operation.MOV_XMM : null;
    };
  }

  /** STOS or MOVS of any size; null if it is another. */
  static Operation stringOperation(int mnemonic) {
    return switch (mnemonic) {
      case 735, 736, 737, 738 -> Operation.STOS; // STOSB STOSD STOSQ STOSW
      case 443, 444, 447, 449 -> Operation.MOVS; // MOVSB MOVSD MOVSQ MOVSW
      default -> null;
    };
  }

  private static boolean isXmmStore(int mnemonic) {
    return switch (mnemonic) {
      case 418, 441, 444, 448 -> true; // MOVD MOVQ MOVSD MOVSS
      case 1037, 1059, 1060, 1063 -> true; // VMOVD VMOVQ VMOVSD VMOVSS
      case 424, 452, 453, 1042, 1064, 1065 -> true; // MOVDQU MOVUPD MOVUPS and VEX
      case 429, 430, 1051, 1052 -> true; // MOVLPD MOVLPS and VEX
      default -> isAlignedStore(mnemonic) || isUpperHalfStore(mnemonic);
    };
  }

  /** Stores that fault unless aligned to 16 bytes (SDM vol. 2, exceptions type 1). */
  static boolean isAlignedStore(int mnemonic) {
    return switch (mnemonic) {
      case 415, 416, 423, 1035, 1036, 1039 -> true; // MOVAPD MOVAPS MOVDQA and VEX
      case 433, 436, 437, 1055, 1057, 1058 -> true; // MOVNTDQ MOVNTPD MOVNTPS and VEX
      default -> false;
    };
  }

  static boolean isUpperHalfStore(int mnemonic) {
    return switch (mnemonic) {
      case 426, 427, 1048, 1049 -> true; // MOVHPD MOVHPS and VEX
      default -> false;
    };
  }
}
