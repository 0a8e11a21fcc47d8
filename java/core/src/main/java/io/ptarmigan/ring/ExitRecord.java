// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.x86.ExitState;
import java.nio.ByteBuffer;

/** A view of an EXIT record: a vCPU is paused and waits for a decision. */
public final class ExitRecord implements ExitState {
  private static final int WORD_SHIFT = 3;

  private final ByteBuffer buffer;
  private int base;

  ExitRecord(ByteBuffer buffer) {
    this.buffer = buffer;
  }

  ExitRecord moveTo(int base) {
    this.base = base;
    return this;
  }

  private long longAt(int offset) {
    return Memory.getLong(buffer, base + offset);
  }

  private int intAt(int offset) {
    return Memory.getInt(buffer, base + offset);
  }

  /** Sequence of the first publication of this exit. */
  public long first() {
    return longAt(ExitLayout.FIRST);
  }

  /** Publications of this exit before this one. */
  public int round() {
    return intAt(ExitLayout.ROUND);
  }

  /** {@code PT_ACCESS_*} of the access. */
  public int access() {
    return intAt(ExitLayout.ACCESS);
  }

  /** Guest-physical address of the access. */
  public long gpa() {
    return longAt(ExitLayout.GPA);
  }

  /** {@code PT_MORE_*} that an earlier round asked for. */
  public int attached() {
    return intAt(ExitLayout.ATTACHED);
  }

  public long cr3() {
    return longAt(ExitLayout.CR3);
  }

  /** When the request was taken from the hypervisor. */
  public long takenNanos() {
    return longAt(ExitLayout.TAKEN_NS);
  }

  /** When this record was published. */
  public long publishedNanos() {
    return longAt(ExitLayout.PUBLISHED_NS);
  }

  @Override
  public int codeBits() {
    return intAt(ExitLayout.CODE_BITS);
  }

  @Override
  public long instructionLow() {
    return longAt(ExitLayout.INSN);
  }

  @Override
  public long instructionHigh() {
    return longAt(ExitLayout.INSN + Long.BYTES);
  }

  @Override
  public int instructionCount() {
    return intAt(ExitLayout.INSN_COUNT);
  }

  @Override
  public long gpr(int register) {
    return longAt(ExitLayout.GPR + (register << WORD_SHIFT));
  }

  @Override
  public long rip() {
    return longAt(ExitLayout.RIP);
  }

  @Override
  public long rflags() {
    return longAt(ExitLayout.RFLAGS);
  }

  @Override
  public long segmentBase(int segment) {
    return longAt(ExitLayout.SEGMENT_BASE + (segment << WORD_SHIFT));
  }

  @Override
  public long cr0() {
    return longAt(ExitLayout.CR0);
  }

  @Override
  public long cr4() {
    return longAt(ExitLayout.CR4);
  }

  @Override
  public long efer() {
    return longAt(ExitLayout.EFER);
  }

  @Override
  public long dr7() {
    return longAt(ExitLayout.DR7);
  }

  @Override
  public int cpl() {
    return intAt(ExitLayout.CPL);
  }

  @Override
  public long gla() {
    return longAt(ExitLayout.GLA);
  }

  @Override
  public long window(int entry) {
    return longAt(ExitLayout.WINDOW + (entry << WORD_SHIFT));
  }

  @Override
  public int windowCount() {
    return intAt(ExitLayout.WINDOW_COUNT);
  }

  @Override
  public int done() {
    return intAt(ExitLayout.DONE);
  }

  @Override
  public int selector(int segment) {
    return Memory.getShort(buffer, base + ExitLayout.SEGMENT_SELECTOR + segment * Short.BYTES)
        & 0xFFFF;
  }

  @Override
  public int sourceCount() {
    return (attached() & Native.PT_MORE_SOURCE) == 0 ? 0 : intAt(ExitLayout.SOURCE_COUNT);
  }

  @Override
  public boolean sourceAliased() {
    return (attached() & Native.PT_MORE_SOURCE) != 0 && intAt(ExitLayout.SOURCE_ALIASED) != 0;
  }

  @Override
  public long source(int index) {
    return longAt(ExitLayout.SOURCE + (index << WORD_SHIFT));
  }

  @Override
  public boolean hasXmm(int register) {
    return (attached() & Native.PT_MORE_XMM) != 0 && intAt(ExitLayout.XMM_REGISTER) == register;
  }

  @Override
  public long xmmLow(int register) {
    return longAt(ExitLayout.XMM);
  }

  @Override
  public long xmmHigh(int register) {
    return longAt(ExitLayout.XMM + Long.BYTES);
  }
}
