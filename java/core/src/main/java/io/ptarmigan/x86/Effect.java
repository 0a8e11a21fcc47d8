// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/**
 * What an instruction does to memory and registers: the emulator's answer, filled anew for each
 * exit and reused. Only meaningful after {@link Emulator#emulate} returned {@link Result#WRITE},
 * but for what is said to go with another result. Not thread-safe: one per decider.
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

  /**
   * Stores to memory that this makes: 1, or the elements of a REP that were done. 0 for a REP with
   * nothing to do, which cannot have raised an exit.
   */
  public int stores;

  /** The write must be one aligned 16-byte swap (CMPXCHG16B, aligned 16-byte stores). */
  public boolean wide;

  /**
   * PUSH or CALL: an exit raised while an interrupt frame is pushed looks the same, so on a live
   * guest this is to be stepped. Also with {@link Result#NEEDS_SOURCE}.
   */
  public boolean interruptLike;

  /** With {@link Result#NEEDS_SOURCE}: linear address of the first source byte. */
  public long sourceAddress;

  /** With {@link Result#NEEDS_SOURCE}: source bytes that are of use, 1 to 32. */
  public int sourceBytes;

  /** With {@link Result#NEEDS_XMM}: the register, 0 to 15. */
  public int xmmRegister;

  /** Where in the window the exit's address lies: 0 to 7. */
  int offset;

  /** Takes over window, flags and position of an exit; nothing is written yet. */
  void begin(ExitState in) {
    for (int entry = 0; entry < expected.length; entry++) {
      long memory = in.window(entry);
      expected[entry] = memory;
      bytes[entry] = memory;
    }
    offset = (int) in.gla() & 7;
    mask = 0;
    gprMask = 0;
    rflags = in.rflags();
    stores = 1;
    wide = false;
    interruptLike = false;
    sourceAddress = 0;
    sourceBytes = 0;
    xmmRegister = 0;
  }

  /** Says which source bytes are missing. */
  Result needSource(long address, int bytes) {
    sourceAddress = address;
    sourceBytes = bytes;
    return Result.NEEDS_SOURCE;
  }

  /** Says which XMM register is missing. */
  Result needXmm(int register) {
    xmmRegister = register;
    return Result.NEEDS_XMM;
  }

  /** Memory before, {@code size} bytes (at most 8) from byte {@code from} of the window. */
  long read(int from, int size) {
    int shift = 8 * (from & 7);
    long value = expected[from >> 3] >>> shift;
    if (shift + 8 * size > 64) {
      value |= expected[(from >> 3) + 1] << (64 - shift);
    }
    return value & Flags.valueMask(size);
  }

  /** Memory to be, likewise; bits above the size are ignored. */
  void write(int from, int size, long value) {
    int entry = from >> 3;
    int shift = 8 * (from & 7);
    long ones = Flags.valueMask(size);
    bytes[entry] = bytes[entry] & ~(ones << shift) | (value & ones) << shift;
    if (shift + 8 * size > 64) {
      int done = 64 - shift;
      bytes[entry + 1] = bytes[entry + 1] & ~(ones >>> done) | (value & ones) >>> done;
    }
    mask |= ((1 << size) - 1) << from;
  }

  /** Replaces the status flags in {@code affected}. */
  void setFlags(long affected, long values) {
    rflags = rflags & ~affected | values & affected;
  }

  /**
   * Writes a general register as an instruction of that operand size does: 4 bytes clear the upper
   * half, 1 and 2 leave the rest (SDM vol. 1, 3.4.1.1).
   *
   * @param shift 8 for AH, CH, DH and BH, else 0
   */
  void setOperand(ExitState in, int register, int shift, int size, long value) {
    if (size >= 4) {
      setGpr(register, value & Flags.valueMask(size));
    } else {
      long ones = Flags.valueMask(size) << shift;
      setGpr(register, in.gpr(register) & ~ones | value << shift & ones);
    }
  }

  /** Sets a general register, all 64 bits. */
  public void setGpr(int register, long value) {
    gpr[register] = value;
    gprMask |= 1 << register;
  }
}
