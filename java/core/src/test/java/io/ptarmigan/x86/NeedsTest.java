// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the emulator says that it lacks: the bytes that the processor would read, and no others. */
class NeedsTest {
  private static final String AT = " gla=10001008 rdi=10001008 ";

  private final Emulator emulator = new Emulator(new PlanCache(new IcedDecoder(), 64));
  private final Effect effect = new Effect();

  private Result emulate(String line) {
    return emulator.emulate(Exits.bare(TextCase.parse(line)), effect);
  }

  @ParameterizedTest
  @CsvSource({
    "bits=64 insn=48a5 rsi=7fff0003, 7fff0003, 8",
    "bits=64 insn=a4 rsi=7fff0003, 7fff0003, 1",
    "bits=64 insn=6448a5 rsi=100 fsbase=7fff0000, 7fff0100, 8", // movsq [rdi], fs:[rsi]
    "bits=32 insn=a5 rsi=ffffffff dsbase=10, f, 4",
    "bits=64 insn=48a5 rsi=7fff0003 rflags=400, 7fff0003, 8",
    "bits=64 insn=f348a5 rsi=7fff0000 rcx=2, 7fff0000, 16",
    "bits=64 insn=f348a5 rsi=7fff0000 rcx=9999, 7fff0000, 32",
    "bits=64 insn=f3a4 rsi=7fff0000 rcx=9999, 7fff0000, 32",
    "bits=64 insn=f348a5 rsi=7fff0fe9 rcx=9999, 7fff0fe9, 16", // up to the page's end
    "bits=64 insn=f348a5 rsi=7fff0ffc rcx=9999, 7fff0ffc, 8", // but one, which crosses it
    "bits=32 insn=f3a5 rsi=7fff0000 rcx=9999, 7fff0000, 4", // limits: one by one
    "bits=64 insn=f348a5 rsi=7fff0020 rcx=4 rflags=400, 7fff0020, 8", // downwards: one by one
    "bits=64 insn=f3a5 rsi=10001000 rcx=4, 10001000, 8", // the third element is the first again
    "bits=64 insn=8f07 rsp=7ffe0000, 7ffe0000, 8",
    "bits=64 insn=668f07 rsp=7ffe0001, 7ffe0001, 2",
    "bits=32 insn=8f07 rsp=ffffffff7ffe0000 ssbase=100, 7ffe0100, 4",
  })
  void namesTheSource(String line, String address, int bytes) {
    assertEquals(Result.NEEDS_SOURCE, emulate(line + AT));
    assertEquals(address, Long.toHexString(effect.sourceAddress));
    assertEquals(bytes, effect.sourceBytes);
    assertFalse(effect.interruptLike);
  }

  @ParameterizedTest
  @CsvSource({"0f1107, 0", "440f2907, 8", "66440fe73f, 15", "660fd637, 6", "c5f811 3f, 7"})
  void namesTheRegister(String instruction, int register) {
    String line = "bits=64 insn=" + instruction.replace(" ", "");
    assertEquals(Result.NEEDS_XMM, emulate(line + " gla=10001010 rdi=10001010"));
    assertEquals(register, effect.xmmRegister);
  }

  @Test
  void tellsAPushFromMemoryFromAPop() {
    assertEquals(Result.NEEDS_SOURCE, emulate("bits=64 insn=ff33 rsp=10001010 gla=10001008"));
    assertTrue(effect.interruptLike);
    assertEquals(Result.NEEDS_SOURCE, emulate("bits=64 insn=ff13 rsp=10001010 gla=10001008"));
    assertTrue(effect.interruptLike);
  }

  @Test
  void aRepetitionOfNothingNeedsNothing() {
    assertEquals(Result.WRITE, emulate("bits=64 insn=f348a5" + AT));
    assertEquals(0, effect.stores);
  }

  /** Element two would read what element one has written, which the record cannot show. */
  @Test
  void ofASourceUnderAnotherAddressOneElementIsDone() {
    TextCase exit = TextCase.parse("bits=64 insn=f348a5 rsi=7fff0000 rcx=3" + AT);
    assertEquals(Result.WRITE, emulator.emulate(exit, effect));
    assertEquals(3, effect.stores);
    assertEquals(Result.WRITE, emulator.emulate(Exits.aliased(exit), effect));
    assertEquals(1, effect.stores);
    assertEquals(0xFF00, effect.mask << 8 & 0xFF00);
    assertEquals(2, effect.gpr[Registers.RCX]);
  }
}
