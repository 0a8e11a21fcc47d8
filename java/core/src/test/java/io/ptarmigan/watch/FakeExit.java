// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.x86.ExitState;

/** An exit of 64-bit kernel code of which only the instruction's address matters. */
record FakeExit(long rip) implements ExitState {
  @Override
  public int codeBits() {
    return 64;
  }

  @Override
  public long instructionLow() {
    return 0;
  }

  @Override
  public long instructionHigh() {
    return 0;
  }

  @Override
  public int instructionCount() {
    return 0;
  }

  @Override
  public long gpr(int register) {
    return 0;
  }

  @Override
  public long rflags() {
    return 0;
  }

  @Override
  public long segmentBase(int segment) {
    return 0;
  }

  @Override
  public long cr0() {
    return 0;
  }

  @Override
  public long cr4() {
    return 0;
  }

  @Override
  public long efer() {
    return 0;
  }

  @Override
  public long dr7() {
    return 0;
  }

  @Override
  public int cpl() {
    return 0;
  }

  @Override
  public long gla() {
    return 0;
  }

  @Override
  public long window(int entry) {
    return 0;
  }

  @Override
  public int windowCount() {
    return 0;
  }

  @Override
  public int done() {
    return 0;
  }
}
