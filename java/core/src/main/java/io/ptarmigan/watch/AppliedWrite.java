// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

/** What happened to the memory of one exit: an outcome record. Valid during the call. */
public interface AppliedWrite {
  /** Sequence of the exit; 0 if it was never published. */
  long sequence();

  int vcpu();

  /** Guest-physical address of entry 0, a multiple of 8. */
  long gpa();

  /** Bit n: byte n from {@link #gpa()} was written or differs. */
  int mask();

  /** The 8 bytes that entry 0 to 3 held before; meaningful if {@link #mask()} touches it. */
  long replaced(int entry);

  /** The 8 bytes that entry 0 to 3 holds now; likewise. */
  long bytes(int entry);

  /** Linear address of the instruction. */
  long rip();

  /** CR3 in force at the exit. */
  long cr3();

  /** {@code enum pt_result} of abi.h. */
  int result();

  /** {@code enum pt_cause} of abi.h. */
  int cause();
}
