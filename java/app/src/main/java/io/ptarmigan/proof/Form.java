// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import io.ptarmigan.x86.Operation;
import java.util.HexFormat;
import java.util.Set;

/**
 * The encodings that random cases are drawn from, written down from the opcode maps (SDM vol. 2D,
 * appendix A and B) and not from what the emulator knows.
 */
enum Form {
  MOV_R(Operation.MOV, "88", Layout.REGISTER, Set.of(1, 2, 4, 8)),
  MOV_IMM(Operation.MOV, "c6", Layout.IMMEDIATE, 0, Set.of(1, 2, 4, 8)),
  MOV_MOFFS(Operation.MOV, "a2", Layout.OFFSET, Set.of(1, 2, 4, 8)),
  MOV_SREG(Operation.MOV_SEGMENT, "8c", Layout.SEGMENT, Set.of(2)),
  MOVNTI(Operation.MOV, "0fc3", Layout.REGISTER, Set.of(4, 8)),
  MOVBE(Operation.MOVBE, "0f38f1", Layout.REGISTER, Set.of(2, 4, 8)),
  SETCC(Operation.SETCC, "0f90", Layout.CONDITION, 0, Set.of(1)),

  ADD_R(Operation.ADD, "00", Layout.REGISTER, Set.of(1, 2, 4, 8)),
  ADD_IMM8(Operation.ADD, "83", Layout.BYTE, 0, Set.of(2, 4, 8)),
  ADD_IMM(Operation.ADD, "80", Layout.IMMEDIATE, 0, Set.of(1, 2, 4, 8)),
  OR_R(Operation.OR, "08", Layout.REGISTER, Set.of(1, 2, 4, 8)),
  OR_IMM8(Operation.OR, "83", Layout.BYTE, 1, Set.of(2, 4, 8)),
  OR_IMM(Operation.OR, "80", Layout.IMMEDIATE, 1, Set.of(1, 2, 4, 8)),
  ADC_R(Operation.ADC, "10", Layout.REGISTER, Set.of(1, 2, 4, 8)),
  ADC_IMM8(Operation.ADC, "83", Layout.BYTE, 2, Set.of(2, 4, 8)),
  ADC_IMM(Operation.ADC, "80", Layout.IMMEDIATE, 2, Set.of(1, 2, 4, 8)),
  SBB_R(Operation.SBB, "18", Layout.REGISTER, Set.of(1, 2, 4, 8)),
  SBB_IMM8(Operation.SBB, "83", Layout.BYTE, 3, Set.of(2, 4, 8)),
  SBB_IMM(Operation.SBB, "80", Layout.IMMEDIATE, 3, Set.of(1, 2, 4, 8)),
  AND_R(Operation.AND, "20", Layout.REGISTER, Set.of(1, 2, 4, 8)),
  AND_IMM8(Operation.AND, "83", Layout.BYTE, 4, Set.of(2, 4, 8)),
  AND_IMM(Operation.AND, "80", Layout.IMMEDIATE, 4, Set.of(1, 2, 4, 8)),
  SUB_R(Operation.SUB, "28", Layout.REGISTER, Set.of(1, 2, 4, 8)),
  SUB_IMM8(Operation.SUB, "83", Layout.BYTE, 5, Set.of(2, 4, 8)),
  SUB_IMM(Operation.SUB, "80", Layout.IMMEDIATE, 5, Set.of(1, 2, 4, 8)),
  XOR_R(Operation.XOR, "30", Layout.REGISTER, Set.of(1, 2, 4, 8)),
  XOR_IMM8(Operation.XOR, "83", Layout.BYTE, 6, Set.of(2, 4, 8)),
  XOR_IMM(Operation.XOR, "80", Layout.IMMEDIATE, 6, Set.of(1, 2, 4, 8)),
  INC(Operation.INC, "fe", Layout.PLAIN, 0, Set.of(1, 2, 4, 8)),
  DEC(Operation.DEC, "fe", Layout.PLAIN, 1, Set.of(1, 2, 4, 8)),
  NOT(Operation.NOT, "f6", Layout.PLAIN, 2, Set.of(1, 2, 4, 8)),
  NEG(Operation.NEG, "f6", Layout.PLAIN, 3, Set.of(1, 2, 4, 8)),

  ROL_ONE(Operation.ROL, "d0", Layout.PLAIN, 0, Set.of(1, 2, 4, 8)),
  ROL_CL(Operation.ROL, "d2", Layout.PLAIN, 0, Set.of(1, 2, 4, 8)),
  ROL_IMM(Operation.ROL, "c0", Layout.BYTE, 0, Set.of(1, 2, 4, 8)),
  ROR_ONE(Operation.ROR, "d0", Layout.PLAIN, 1, Set.of(1, 2, 4, 8)),
  ROR_CL(Operation.ROR, "d2", Layout.PLAIN, 1, Set.of(1, 2, 4, 8)),
  ROR_IMM(Operation.ROR, "c0", Layout.BYTE, 1, Set.of(1, 2, 4, 8)),
  RCL_ONE(Operation.RCL, "d0", Layout.PLAIN, 2, Set.of(1, 2, 4, 8)),
  RCL_CL(Operation.RCL, "d2", Layout.PLAIN, 2, Set.of(1, 2, 4, 8)),
  RCL_IMM(Operation.RCL, "c0", Layout.BYTE, 2, Set.of(1, 2, 4, 8)),
  RCR_ONE(Operation.RCR, "d0", Layout.PLAIN, 3, Set.of(1, 2, 4, 8)),
  RCR_CL(Operation.RCR, "d2", Layout.PLAIN, 3, Set.of(1, 2, 4, 8)),
  RCR_IMM(Operation.RCR, "c0", Layout.BYTE, 3, Set.of(1, 2, 4, 8)),
  SHL_ONE(Operation.SHL, "d0", Layout.PLAIN, 4, Set.of(1, 2, 4, 8)),
  SHL_CL(Operation.SHL, "d2", Layout.PLAIN, 4, Set.of(1, 2, 4, 8)),
  SHL_IMM(Operation.SHL, "c0", Layout.BYTE, 4, Set.of(1, 2, 4, 8)),
  SHR_ONE(Operation.SHR, "d0", Layout.PLAIN, 5, Set.of(1, 2, 4, 8)),
  SHR_CL(Operation.SHR, "d2", Layout.PLAIN, 5, Set.of(1, 2, 4, 8)),
  SHR_IMM(Operation.SHR, "c0", Layout.BYTE, 5, Set.of(1, 2, 4, 8)),
  SAL_CL(Operation.SHL, "d2", Layout.PLAIN, 6, Set.of(1, 2, 4, 8)),
  SAR_ONE(Operation.SAR, "d0", Layout.PLAIN, 7, Set.of(1, 2, 4, 8)),
  SAR_CL(Operation.SAR, "d2", Layout.PLAIN, 7, Set.of(1, 2, 4, 8)),
  SAR_IMM(Operation.SAR, "c0", Layout.BYTE, 7, Set.of(1, 2, 4, 8)),
  SHLD_IMM(Operation.SHLD, "0fa4", Layout.REGISTER_BYTE, Set.of(2, 4, 8)),
  SHLD_CL(Operation.SHLD, "0fa5", Layout.REGISTER, Set.of(2, 4, 8)),
  SHRD_IMM(Operation.SHRD, "0fac", Layout.REGISTER_BYTE, Set.of(2, 4, 8)),
  SHRD_CL(Operation.SHRD, "0fad", Layout.REGISTER, Set.of(2, 4, 8)),

  BTS_R(Operation.BTS, "0fab", Layout.REGISTER, Set.of(2, 4, 8)),
  BTS_IMM(Operation.BTS, "0fba", Layout.BYTE, 5, Set.of(2, 4, 8)),
  BTR_R(Operation.BTR, "0fb3", Layout.REGISTER, Set.of(2, 4, 8)),
  BTR_IMM(Operation.BTR, "0fba", Layout.BYTE, 6, Set.of(2, 4, 8)),
  BTC_R(Operation.BTC, "0fbb", Layout.REGISTER, Set.of(2, 4, 8)),
  BTC_IMM(Operation.BTC, "0fba", Layout.BYTE, 7, Set.of(2, 4, 8)),

  XCHG(Operation.XCHG, "86", Layout.REGISTER, Set.of(1, 2, 4, 8)),
  XADD(Operation.XADD, "0fc0", Layout.REGISTER, Set.of(1, 2, 4, 8)),
  CMPXCHG(Operation.CMPXCHG, "0fb0", Layout.REGISTER, Set.of(1, 2, 4, 8)),
  CMPXCHG8B(Operation.CMPXCHG8B, "0fc7", Layout.PLAIN, 1, Set.of(8)),
  CMPXCHG16B(Operation.CMPXCHG16B, "0fc7", Layout.PLAIN, 1, Set.of(16)),

  STOS(Operation.STOS, "aa", Layout.STRING, Set.of(1, 2, 4, 8)),
  REP_STOS(Operation.STOS, "aa", Layout.STRING, Set.of(1, 2, 4, 8)),
  MOVS(Operation.MOVS, "a4", Layout.STRING, Set.of(1, 2, 4, 8)),
  REP_MOVS(Operation.MOVS, "a4", Layout.STRING, Set.of(1, 2, 4, 8)),

  PUSH_R(Operation.PUSH, "50", Layout.STACK_REGISTER, Set.of(2, 8)),
  PUSH_IMM8(Operation.PUSH, "6a", Layout.STACK_BYTE, Set.of(2, 8)),
  PUSH_IMM(Operation.PUSH, "68", Layout.STACK_IMMEDIATE, Set.of(2, 8)),
  PUSH_M(Operation.PUSH, "ff", Layout.STACK_MEMORY, 6, Set.of(2, 8)),
  PUSH_FS(Operation.PUSH, "0fa0", Layout.STACK_PLAIN, Set.of(2, 8)),
  PUSH_GS(Operation.PUSH, "0fa8", Layout.STACK_PLAIN, Set.of(2, 8)),
  POP_M(Operation.POP, "8f", Layout.POP, 0, Set.of(2, 8)),
  CALL_REL(Operation.CALL, "e8", Layout.CALL_RELATIVE, Set.of(8)),
  CALL_R(Operation.CALL, "ff", Layout.CALL_REGISTER, 2, Set.of(8)),
  CALL_M(Operation.CALL, "ff", Layout.CALL_MEMORY, 2, Set.of(8)),

  MOVUPS(Operation.MOV_XMM, "0f11", Layout.VECTOR, 0, Set.of(16)),
  MOVUPD(Operation.MOV_XMM, "0f11", Layout.VECTOR, 1, Set.of(16)),
  MOVSS(Operation.MOV_XMM, "0f11", Layout.VECTOR, 2, Set.of(4)),
  MOVSD(Operation.MOV_XMM, "0f11", Layout.VECTOR, 3, Set.of(8)),
  MOVLPS(Operation.MOV_XMM, "0f13", Layout.VECTOR, 0, Set.of(8)),
  MOVLPD(Operation.MOV_XMM, "0f13", Layout.VECTOR, 1, Set.of(8)),
  MOVHPS(Operation.MOV_XMM, "0f17", Layout.VECTOR, 0, Set.of(8)),
  MOVHPD(Operation.MOV_XMM, "0f17", Layout.VECTOR, 1, Set.of(8)),
  MOVAPS(Operation.MOV_XMM, "0f29", Layout.VECTOR, 0, Set.of(16)),
  MOVAPD(Operation.MOV_XMM, "0f29", Layout.VECTOR, 1, Set.of(16)),
  MOVNTPS(Operation.MOV_XMM, "0f2b", Layout.VECTOR, 0, Set.of(16)),
  MOVNTPD(Operation.MOV_XMM, "0f2b", Layout.VECTOR, 1, Set.of(16)),
  MOVD(Operation.MOV_XMM, "0f7e", Layout.VECTOR, 1, Set.of(4, 8)),
  MOVDQA(Operation.MOV_XMM, "0f7f", Layout.VECTOR, 1, Set.of(16)),
  MOVDQU(Operation.MOV_XMM, "0f7f", Layout.VECTOR, 2, Set.of(16)),
  MOVQ(Operation.MOV_XMM, "0fd6", Layout.VECTOR, 1, Set.of(8)),
  MOVNTDQ(Operation.MOV_XMM, "0fe7", Layout.VECTOR, 1, Set.of(16));

  /** What stands beside the opcode. */
  enum Layout {
    /** ModRM with a general register. */
    REGISTER,
    /** The same and a byte. */
    REGISTER_BYTE,
    /** ModRM with an opcode extension and an immediate of the operand's size, 4 bytes at most. */
    IMMEDIATE,
    /** ModRM with an opcode extension and a byte. */
    BYTE,
    /** ModRM with an opcode extension. */
    PLAIN,
    /** The same, condition in the opcode. */
    CONDITION,
    /** ModRM with a segment register. */
    SEGMENT,
    /** A whole address instead of ModRM. */
    OFFSET,
    STRING,
    STACK_REGISTER,
    STACK_BYTE,
    STACK_IMMEDIATE,
    STACK_MEMORY,
    STACK_PLAIN,
    POP,
    CALL_RELATIVE,
    CALL_REGISTER,
    CALL_MEMORY,
    /** ModRM with an XMM register; the extension says which prefix: none, 66, f3, f2. */
    VECTOR
  }

  final Operation operation;
  final byte[] opcode;
  final Layout layout;
  final int extension;
  final Set<Integer> sizes;

  Form(Operation operation, String opcode, Layout layout, Set<Integer> sizes) {
    this(operation, opcode, layout, 0, sizes);
  }

  Form(Operation operation, String opcode, Layout layout, int extension, Set<Integer> sizes) {
    this.operation = operation;
    this.opcode = HexFormat.of().parseHex(opcode);
    this.layout = layout;
    this.extension = extension;
    this.sizes = sizes;
  }

  /** The last bit of the opcode tells a byte from the larger sizes. */
  boolean opcodeTellsSize() {
    return sizes.contains(1) && layout != Layout.CONDITION;
  }

  /** The written operand is named by ModRM. */
  boolean hasMemoryOperand() {
    return switch (layout) {
      case REGISTER, REGISTER_BYTE, IMMEDIATE, BYTE, PLAIN, CONDITION, SEGMENT, POP, VECTOR -> true;
      default -> false;
    };
  }

  /** ModRM names the operand that is read. */
  boolean hasMemorySource() {
    return layout == Layout.STACK_MEMORY || layout == Layout.CALL_MEMORY;
  }

  boolean isLockable() {
    return switch (operation) {
      case ADD, OR, ADC, SBB, AND, SUB, XOR, INC, DEC, NOT, NEG -> true;
      case BTS, BTR, BTC, XCHG, XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B -> true;
      default -> false;
    };
  }

  /** Faults unless the address is a multiple of 16. */
  boolean isAligned() {
    return switch (this) {
      case CMPXCHG16B, MOVAPS, MOVAPD, MOVDQA, MOVNTPS, MOVNTPD, MOVNTDQ -> true;
      default -> false;
    };
  }

  boolean isRepeated() {
    return this == REP_STOS || this == REP_MOVS;
  }
}
