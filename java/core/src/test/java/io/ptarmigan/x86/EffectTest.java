// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** An effect is a function of its exit alone, though the object is that of all exits before. */
class EffectTest {
  private static final int STRIDE = 7919; // prime: each exit meets another one before it

  private final Emulator emulator = new Emulator(new PlanCache(new IcedDecoder(), 16384));

  @Test
  void nothingOfAnEarlierExitIsLeftInIt() {
    List<ExitState> exits =
        Tables.files().stream()
            .flatMap(file -> Tables.lines(file).stream())
            .map(Tables.Line::parseExit)
            .flatMap(exit -> Stream.of(exit, Exits.bare(exit)))
            .toList();
    Effect reused = new Effect();
    Map<Result, Integer> seen = new EnumMap<>(Result.class);
    for (int i = 0; i < exits.size(); i++) {
      emulator.emulate(exits.get((int) ((long) i * STRIDE % exits.size())), reused);
      Effect fresh = new Effect();
      Result result = emulator.emulate(exits.get(i), fresh);
      assertEquals(result, emulator.emulate(exits.get(i), reused));
      if (result == Result.WRITE || isNeed(result)) {
        assertEquals(words(fresh, result), words(reused, result));
        seen.merge(result, 1, Integer::sum);
      }
    }
    assertTrue(seen.size() == 3 && seen.values().stream().allMatch(n -> n > 10), seen.toString());
  }

  private static boolean isNeed(Result result) {
    return result == Result.NEEDS_SOURCE || result == Result.NEEDS_XMM;
  }

  /** All that a decision can be made from. */
  private static String words(Effect effect, Result result) {
    if (isNeed(result)) {
      return effect.sourceAddress
          + " "
          + effect.sourceBytes
          + " "
          + effect.xmmRegister
          + " "
          + effect.interruptLike;
    }
    long[] registers = effect.gpr.clone();
    for (int i = 0; i < registers.length; i++) {
      registers[i] = (effect.gprMask >>> i & 1) == 0 ? 0 : registers[i];
    }
    return Arrays.toString(effect.expected)
        + Arrays.toString(effect.bytes)
        + Arrays.toString(registers)
        + effect.mask
        + " "
        + effect.gprMask
        + " "
        + effect.rip
        + " "
        + effect.rflags
        + " "
        + effect.stores
        + effect.wide
        + effect.interruptLike;
  }
}
