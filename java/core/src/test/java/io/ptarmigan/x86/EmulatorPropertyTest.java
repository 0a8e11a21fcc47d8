// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class EmulatorPropertyTest {
  private final Emulator emulator = new Emulator(new PlanCache(new IcedDecoder(), 8192));

  @Provide
  Arbitrary<Tables.Line> writes() {
    return Arbitraries.of(Tables.writes());
  }

  /** The same record gives the same answer, whatever was emulated before. */
  @Property
  void emulateIsPure(@ForAll("writes") Tables.Line line, @ForAll("writes") Tables.Line other) {
    Effect first = emulate(line.parseExit());
    Effect reused = emulate(line.parseExit());
    emulator.emulate(other.parseExit(), reused);
    assertEquals(Result.WRITE, emulator.emulate(line.parseExit(), reused));
    assertSame(first, reused);
  }

  /**
   * However a write is split into rounds: memory of the parts together, and the registers of the
   * last, are those of the whole.
   */
  @Property
  void partsMakeTheWhole(@ForAll("writes") Tables.Line line, @ForAll List<Integer> cuts) {
    TextCase exit = line.parseExit();
    Effect whole = emulate(exit);
    long[] memory = whole.expected.clone();
    int done = 0;
    for (int cut : cuts) {
      Effect part = emulate(Exits.over(exit, whole.expected, done));
      assertEquals(whole.mask & ~done, part.mask);
      apply(memory, part, part.mask & cut);
      done |= part.mask & cut;
    }
    Effect last = emulate(Exits.over(exit, whole.expected, done));
    apply(memory, last, last.mask);
    assertArrayEquals(whole.bytes, memory);
    assertEquals(whole.rip, last.rip);
    assertEquals(whole.rflags, last.rflags);
    assertEquals(whole.gprMask, last.gprMask);
  }

  /** Whatever bytes and registers a guest presents, there is an answer and no exception. */
  @Property(tries = 20_000)
  void alwaysAnswers(
      @ForAll("writes") Tables.Line line, @ForAll long low, @ForAll long high, @ForAll int seed) {
    int bits = 16 << Math.floorMod(seed, 3);
    int count = Math.floorMod(seed >> 8, 20);
    ExitState exit = Exits.running(line.parseExit(), bits, low, high, count);
    assertNotNull(emulator.emulate(exit, new Effect()));
  }

  /** A flipped bit in a known instruction explores the encodings next to it. */
  @Property(tries = 20_000)
  void alwaysAnswersNearby(@ForAll("writes") Tables.Line line, @ForAll long flips) {
    TextCase exit = line.parseExit();
    long low =
        exit.instructionLow() ^ 1L << (flips & 63) ^ (flips < 0 ? 1L << (flips >> 6 & 63) : 0);
    ExitState flipped = Exits.running(exit, 64, low, exit.instructionHigh(), 16);
    assertNotNull(emulator.emulate(flipped, new Effect()));
  }

  @Example
  void nothingIsMadeUpWhereTheRecordIsBare() {
    check("bits=64 insn=0f1103 rbx=10001008 gla=10001008", Result.NEEDS_XMM);
    check("bits=64 insn=48a5 rdi=10001008 gla=10001008", Result.NEEDS_SOURCE);
    check("bits=64 insn=8f03 rbx=10001008 gla=10001008", Result.NEEDS_SOURCE);
    check("bits=64 insn=ff33 rsp=10001010 gla=10001008", Result.NEEDS_SOURCE);
    check("bits=64 insn=ff13 rsp=10001010 gla=10001008", Result.NEEDS_SOURCE);
    check("bits=64 insn=8c23 rbx=10001008 gla=10001008", Result.NEEDS_SELECTOR);
    check("bits=64 insn=0fa0 rsp=10001010 gla=10001008", Result.NEEDS_SELECTOR);
  }

  private void check(String line, Result expected) {
    assertEquals(expected, emulator.emulate(Exits.bare(TextCase.parse(line)), new Effect()));
  }

  private Effect emulate(ExitState exit) {
    Effect effect = new Effect();
    assertEquals(Result.WRITE, emulator.emulate(exit, effect));
    return effect;
  }

  private static void apply(long[] memory, Effect effect, int mask) {
    for (int i = 0; i < 32; i++) {
      if ((mask >> i & 1) != 0) {
        long ones = 0xffL << 8 * (i & 7);
        memory[i / 8] = memory[i / 8] & ~ones | effect.bytes[i / 8] & ones;
      }
    }
  }

  private static void assertSame(Effect expected, Effect actual) {
    assertEquals(expected.mask, actual.mask);
    assertArrayEquals(expected.expected, actual.expected);
    assertArrayEquals(expected.bytes, actual.bytes);
    assertEquals(expected.gprMask, actual.gprMask);
    for (int i = 0; i < 16; i++) {
      if ((expected.gprMask >> i & 1) != 0) {
        assertEquals(expected.gpr[i], actual.gpr[i]);
      }
    }
    assertEquals(expected.rip, actual.rip);
    assertEquals(expected.rflags, actual.rflags);
    assertEquals(expected.stores, actual.stores);
    assertEquals(expected.wide, actual.wide);
    assertEquals(expected.interruptLike, actual.interruptLike);
  }
}
