// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** What an instruction does with the memory that it writes, whatever its encoding. */
public enum Operation {
  /** MOV, MOVNTI: a register or an immediate. */
  MOV,
  MOVBE,
  MOV_SEGMENT,
  /** All SSE and AVX stores of a register or half of one. */
  MOV_XMM,
  SETCC,
  ADD,
  OR,
  ADC,
  SBB,
  AND,
  SUB,
  XOR,
  INC,
  DEC,
  NOT,
  NEG,
  ROL,
  ROR,
  RCL,
  RCR,
  SHL,
  SHR,
  SAR,
  SHLD,
  SHRD,
  BTS,
  BTR,
  BTC,
  XCHG,
  XADD,
  CMPXCHG,
  CMPXCHG8B,
  CMPXCHG16B,
  STOS,
  MOVS,
  PUSH,
  POP,
  CALL
}
