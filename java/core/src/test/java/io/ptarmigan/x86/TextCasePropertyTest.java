// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Whatever a user types at {@code emulate}, it is answered or refused in words. */
class TextCasePropertyTest {
  private static final List<Tables.Line> CASES = Tables.all();
  private static final String LETTERS =
      "0123456789abcdefABCDEFgx= \t-+,:rip\u00e9\u0660\u0000\uff11";

  private final Emulator emulator = new Emulator(new PlanCache(new IcedDecoder(), 1024));
  private final Effect effect = new Effect();

  @Provide
  Arbitrary<Tables.Line> cases() {
    return Arbitraries.of(CASES);
  }

  @Property(tries = 5000)
  void aSpoiledLineIsAnsweredOrRefusedInWords(
      @ForAll("cases") Tables.Line line, @ForAll long seed) {
    check(spoil(line.exit(), new Random(seed)));
  }

  @Property(tries = 2000)
  void anyTextIsAnsweredOrRefusedInWords(@ForAll String text) {
    check(text);
  }

  private void check(String text) {
    String answer;
    try {
      TextCase exit = TextCase.parse(text);
      assertTrue(Arrays.stream(text.trim().split(" +")).allMatch(TextCasePropertyTest::wellFormed));
      answer = exit.answer(emulator.emulate(exit, effect), effect);
      assertTrue(
          answer.matches("WRITE mask=[0-9a-f]{8} new=[0-9a-f]{64} rip=.*|UNSUPPORTED .+"), answer);
    } catch (IllegalArgumentException refused) {
      assertTrue(
          refused.getClass() == IllegalArgumentException.class, () -> "thrown by Java: " + refused);
      answer = refused.getMessage();
    }
    assertFalse(answer.isBlank());
  }

  private static boolean wellFormed(String word) {
    return word.matches(
        "(insn|old|src|xmm\\d+)=([0-9a-fA-F]{2})+|bits=(16|32|64)|\\w+=[0-9a-fA-F]{1,16}");
  }

  private static String spoil(String line, Random random) {
    StringBuilder text = new StringBuilder(line);
    for (int changes = 1 + random.nextInt(3); changes > 0 && text.length() > 0; changes--) {
      int at = random.nextInt(text.length());
      char letter = LETTERS.charAt(random.nextInt(LETTERS.length()));
      switch (random.nextInt(5)) {
        case 0 -> text.setCharAt(at, letter);
        case 1 -> text.insert(at, letter);
        case 2 -> text.deleteCharAt(at);
        case 3 -> text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(20)));
        default -> text.insert(at, ' ' + word(line, random) + ' ');
      }
    }
    return text.toString();
  }

  private static String word(String line, Random random) {
    String[] words = line.split(" +");
    return words[random.nextInt(words.length)];
  }
}
