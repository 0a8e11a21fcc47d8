// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/**
 * What an instruction does to memory and registers: the emulator's answer, filled anew for each
 * exit and reused. Only meaningful after {@link Emulator#emulate} returned {@link Emulator#WRITE}.
 * Not thread-safe: one per decider.
 */
public final class Effect {
  /**
   * Bit n: byte n of the window is written. 0 for an instruction that writes nothing (a failed
   * CMPXCHG writes old).
   */
  public int mask;

  /** Memory as it was judged: the window's four entries, byte 0 of the window lowest in entry 0. */
  public final long[] expected = new long[4];

  /** Memory as it is to be: {@link #expected} with the bytes under {@link #mask} replaced. */
  public final long[] bytes = new long[4];

  /** Bit n: {@code gpr[n]} replaces the register. */
  public int gprMask;

  /** Values of the registers in {@link #gprMask}; others are leftovers. */
  public final long[] gpr = new long[16];

  /** After the instruction, or at it while a REP has elements left. */
  public long rip;

  public long rflags;

  /** Stores to memory that this makes: 1, or the elements of a REP that were done. */
  public int stores;

  /** The write must be one aligned 16-byte swap (CMPXCHG16B). */
  public boolean wide;

  /** Sets a general register, all 64 bits. */
  public void setGpr(int register, long value) {
    gpr[register] = value;
    gprMask |= 1 << register;
  }
}
