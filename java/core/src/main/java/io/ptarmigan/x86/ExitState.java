// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/**
 * What the emulator asks of one exit. The flyweight over the shared stream is one implementation, a
 * recorded exit and a line of text are others. Every method is a plain read: no side effect, no
 * allocation.
 *
 * <p>Register and segment numbers are those of instruction encoding (SDM vol. 2A, tables 2-2 and
 * B-8).
 */
public interface ExitState {
  /** Default operand and address size of the code segment: 16, 32 or 64. */
  int codeBits();

  /**
   * Bytes 0 to 7 of the instruction, byte 0 lowest; bytes past {@link #instructionCount()} are 0.
   */
  long instructionLow();

  /** Bytes 8 to 15 of the instruction. */
  long instructionHigh();

  /** Instruction bytes that could be read, 0 to 16. */
  int instructionCount();

  /** General register 0 to 15, all 64 bits. */
  long gpr(int register);

  long rip();

  long rflags();

  /** Base of es, cs, ss, ds, fs, gs (0 to 5). */
  long segmentBase(int segment);

  long cr0();

  long cr4();

  long efer();

  long dr7();

  /** Current privilege level, 0 to 3. */
  int cpl();

  /** Guest-linear address of the access that raised the exit. */
  long gla();

  /** Entry 0 to 3 of the 32 bytes of memory from {@code gla & ~7}. */
  long window(int entry);

  /** Valid bytes of the window, fewer than 32 at the end of the page. */
  int windowCount();

  /**
   * Bit n: byte n of the window was written by an earlier round of this exit and must not be
   * written again.
   */
  int done();

  /** Selector of es, cs, ss, ds, fs, gs (0 to 5); negative if the record does not hold it. */
  default int selector(int segment) {
    return -1;
  }

  /**
   * Source bytes that the record holds for an instruction that also reads memory: MOVS, POP, PUSH
   * and CALL through memory. 0 if none, 32 at most.
   */
  default int sourceCount() {
    return 0;
  }

  /**
   * Bytes {@code 8 * index} to {@code 8 * index + 7} of the source, as they lie in memory from the
   * operand's address on; those of a MOVS with DF set end with the element at its address.
   *
   * @param index 0 to 3
   */
  default long source(int index) {
    return 0;
  }

  /**
   * Whether a part of the source lies in the window's own frame under another address, so that
   * elements past the first may read what an earlier one wrote.
   */
  default boolean sourceAliased() {
    return false;
  }

  /** Whether the record holds XMM register 0 to 15. */
  default boolean hasXmm(int register) {
    return false;
  }

  /** Lower half of XMM register 0 to 15, if the record holds it. */
  default long xmmLow(int register) {
    return 0;
  }

  /** Upper half, likewise. */
  default long xmmHigh(int register) {
    return 0;
  }
}
