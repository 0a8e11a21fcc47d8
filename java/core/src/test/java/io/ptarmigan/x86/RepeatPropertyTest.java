// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/**
 * A repeated instruction, exit after exit until it ends, leaves what one element after the other
 * leaves; also where source and destination overlap, which no single record can show.
 */
class RepeatPropertyTest {
  private static final long BASE = 0x10001000;
  private static final int BYTES = 1024;
  private static final HexFormat HEX = HexFormat.of();
  private static final String[] SUFFIX = {"aa", "66ab", "ab", "48ab", "a4", "66a5", "a5", "48a5"};

  private final Emulator emulator = new Emulator(new PlanCache(new IcedDecoder(), 64));
  private final Effect effect = new Effect();

  @Property(tries = 3000)
  void exitsAddUpToTheWhole(
      @ForAll Random random,
      @ForAll @IntRange(max = 7) int form,
      @ForAll @IntRange(max = 20) int count,
      @ForAll @IntRange(min = 400, max = 600) int to,
      @ForAll @IntRange(min = -40, max = 40) int distance,
      @ForAll boolean down) {
    int size = 1 << form % 4;
    boolean moves = form >= 4;
    byte[] expected = new byte[BYTES];
    random.nextBytes(expected);
    byte[] memory = expected.clone();
    long value = random.nextLong();
    elementByElement(
        expected, to, moves ? to + distance : -1, count, down ? -size : size, size, value);

    String insn = insn(form);
    long rdi = BASE + to;
    long rsi = BASE + to + distance;
    long rcx = count;
    long rip = 0x50;
    int exits = 0;
    while (rip == 0x50) {
      int held = moves ? 32 : 0;
      int from = (int) (rsi - BASE) + (down ? size - held : 0);
      String text =
          String.format(
              "bits=64 insn=%s gla=%x old=%s rip=50 rflags=%x rax=%x rcx=%x rdi=%x rsi=%x",
              insn,
              rdi,
              hex(memory, (int) (rdi - BASE) & ~7),
              down ? 0x402 : 2,
              value,
              rcx,
              rdi,
              rsi);
      TextCase exit = TextCase.parse(moves ? text + " src=" + hex(memory, from) : text);
      assertEquals(Result.WRITE, emulator.emulate(exit, effect));
      apply(memory, (int) (rdi - BASE) & ~7);
      rdi = register(Registers.RDI, rdi);
      rsi = register(Registers.RSI, rsi);
      rcx = register(Registers.RCX, rcx);
      rip = effect.rip;
      assertTrue(++exits <= count + 1, "no progress");
    }
    assertArrayEquals(expected, memory);
    assertEquals(0, rcx);
    int moved = (down ? -size : size) * count;
    assertEquals(BASE + to + moved, rdi);
    assertEquals(BASE + to + distance + (moves ? moved : 0), rsi);
    assertEquals(0x50 + insn.length() / 2, rip);
  }

  private static String insn(int form) {
    String suffix = SUFFIX[form];
    return suffix.startsWith("66") ? "66f3" + suffix.substring(2) : "f3" + suffix;
  }

  private static void elementByElement(
      byte[] memory, int to, int from, int count, int step, int size, long value) {
    for (int i = 0; i < count; i++) {
      for (int b = 0; b < size && from < 0; b++) {
        memory[to + i * step + b] = (byte) (value >>> 8 * b);
      }
      if (from >= 0) {
        byte[] element = new byte[size];
        System.arraycopy(memory, from + i * step, element, 0, size);
        System.arraycopy(element, 0, memory, to + i * step, size);
      }
    }
  }

  private static String hex(byte[] memory, int at) {
    return HEX.formatHex(memory, at, at + 32);
  }

  private void apply(byte[] memory, int at) {
    for (int i = 0; i < 32; i++) {
      if ((effect.mask >> i & 1) != 0) {
        memory[at + i] = (byte) (effect.bytes[i / 8] >>> 8 * (i % 8));
      }
    }
  }

  private long register(int number, long before) {
    return (effect.gprMask >> number & 1) != 0 ? effect.gpr[number] : before;
  }
}
