// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.bench;

import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.ring.StreamProducer;

/** Instructions that kernels write page tables with, all storing to [rdi]. */
public enum Instruction {
  MOV(0x07_8948L), // mov [rdi], rax
  MOV_DWORD(0x0789L), // mov [rdi], eax
  MOV_IMMEDIATE(0x07_C748L), // mov qword [rdi], 0
  MOVNTI(0x07_C30F48L), // movnti [rdi], rax
  XCHG(0x07_8748L), // xchg [rdi], rax
  CMPXCHG(0x0F_B10F48F0L), // lock cmpxchg [rdi], rcx
  AND(0x07_2148F0L), // lock and [rdi], rax
  OR(0x07_0948L), // or [rdi], rax
  ADD(0x07_0148L), // add [rdi], rax
  XADD(0x0F_C10F48F0L), // lock xadd [rdi], rcx
  BTS(0x05_2FBA0F48F0L), // lock bts qword [rdi], 5
  BTR_REGISTER(0x0F_B30F48F0L), // lock btr [rdi], rcx
  SHL(0x03_27C148L), // shl qword [rdi], 3
  STOS(0xAB48L), // stosq
  REP_STOS(0xAB48F3L), // rep stosq, 4 elements
  PUSH(0x50L); // push rax

  static final long GPA = 0x4000;
  static final long GLA = 0xFFFF_8880_0000_4000L;
  private static final long RIP = 0xFFFF_FFFF_8100_0000L;
  private static final long ENTRY = 0x8000_0000_0000_3067L;
  private static final int RCX = 1;
  private static final int RSP = 4;
  private static final int RDI = 7;

  private final long bytes;

  Instruction(long bytes) {
    this.bytes = bytes;
  }

  /** Publishes an exit of this instruction; its sequence. */
  long raise(StreamProducer producer, int vcpu) {
    producer
        .exit(vcpu)
        .with(ExitLayout.INSN, bytes)
        .with(ExitLayout.GPA, GPA)
        .with(ExitLayout.GLA, GLA)
        .with(ExitLayout.RIP, RIP)
        .with(ExitLayout.RFLAGS, 2L)
        .with(ExitLayout.GPR, ENTRY)
        .with(ExitLayout.GPR + RCX * Long.BYTES, 4L)
        .with(ExitLayout.GPR + RSP * Long.BYTES, GLA + Long.BYTES)
        .with(ExitLayout.GPR + RDI * Long.BYTES, GLA)
        .with(ExitLayout.WINDOW, ENTRY);
    return producer.publish();
  }
}
