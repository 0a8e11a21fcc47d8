// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.abi.generated.Native;

/** Stands for writes that nobody told: there is no saying who made them. */
enum UnseenWrite implements AppliedWrite {
  INSTANCE;

  @Override
  public long sequence() {
    return 0;
  }

  @Override
  public int vcpu() {
    return -1;
  }

  @Override
  public long gpa() {
    return 0;
  }

  @Override
  public int mask() {
    return 0;
  }

  @Override
  public long replaced(int entry) {
    return 0;
  }

  @Override
  public long bytes(int entry) {
    return 0;
  }

  @Override
  public long rip() {
    return 0;
  }

  @Override
  public long cr3() {
    return 0;
  }

  @Override
  public int result() {
    return Native.PT_RESULT_STEPPED;
  }

  @Override
  public int cause() {
    return Native.PT_CAUSE_NO_JVM;
  }
}
