// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** A decoder that remembers what it was asked makes every wrong hit visible. */
class PlanCachePropertyTest {
  private static final int ENCODINGS = 6000;

  /** Plans that are their own question: the first byte is the length, the rest the identity. */
  private static final class CountingDecoder implements Decoder {
    int calls;

    @Override
    public Plan decode(int bits, long low, long high, int count) {
      calls++;
      int length = (int) (low & 15);
      if (length == 0 || length > count) {
        return new Plan.Draft(1).refuse(Result.TRUNCATED, bits, low, high);
      }
      Plan.Draft draft = new Plan.Draft(length);
      draft.immediate = identity(bits, low, high, length);
      return draft.plan(bits, low, high);
    }

    static long identity(int bits, long low, long high, int length) {
      long ownLow = length >= 8 ? low : low & (1L << 8 * length) - 1;
      long ownHigh = length <= 8 ? 0 : high & (1L << 8 * (length - 8)) - 1;
      return (ownLow * 31 + ownHigh) * 31 + bits;
    }
  }

  @Property(tries = 20)
  void neverAnotherInstructionsPlan(
      @ForAll Random random, @ForAll @IntRange(min = 3, max = 13) int log) {
    PlanCache cache = new PlanCache(new CountingDecoder(), 1 << log);
    long[] lows = new long[ENCODINGS];
    long[] highs = new long[ENCODINGS];
    for (int i = 0; i < ENCODINGS; i++) {
      // Few distinct values in each byte: many encodings share most of their bytes.
      lows[i] = random.nextLong() & 0x0303_0303_0303_030fL;
      highs[i] = random.nextLong() & 0x0303_0303_0303_0303L;
    }
    for (int lookup = 0; lookup < 4 * ENCODINGS; lookup++) {
      int i = random.nextInt(ENCODINGS);
      int bits = 16 << random.nextInt(3);
      int count = random.nextInt(17);
      Plan plan = cache.find(bits, lows[i], highs[i], count);
      int length = (int) (lows[i] & 15);
      if (length == 0 || length > count) {
        assertSame(Result.TRUNCATED, plan.refusal);
      } else {
        assertEquals(bits, plan.bits);
        assertEquals(CountingDecoder.identity(bits, lows[i], highs[i], length), plan.immediate);
      }
    }
  }

  @Property(tries = 50)
  void staysBounded(@ForAll Random random, @ForAll @IntRange(min = 3, max = 8) int log) {
    PlanCache cache = new PlanCache(new CountingDecoder(), 1 << log);
    Set<Plan> seen = new HashSet<>();
    for (int i = 0; i < ENCODINGS; i++) {
      seen.add(cache.find(64, random.nextLong() | 15, random.nextLong(), 16));
    }
    assertEquals(ENCODINGS, cache.hits() + cache.misses());
    long held = cache.misses() - cache.evictions();
    assertTrue(held <= 1 << log, held + " plans held");
    assertEquals(seen.size(), cache.misses());
  }

  @Example
  void whatFollowsTheInstructionDoesNotMatter() {
    CountingDecoder decoder = new CountingDecoder();
    PlanCache cache = new PlanCache(decoder, 8);
    Plan plan = cache.find(64, 0x1122_3344_5566_7703L, 1, 16);
    assertTrue(plan.matches(64, 0xffff_ffff_ff66_7703L, -1, 3));
    assertSame(plan, cache.find(64, 0x1122_3344_5566_7703L, 1, 16));
    assertEquals(1, decoder.calls);
  }

  @Example
  void bytesCountAndCodeSizeAllMatter() {
    PlanCache cache = new PlanCache(new CountingDecoder(), 64);
    Plan plan = cache.find(64, 0x1122_3344_5566_7708L, 0, 16);
    assertNotSame(plan, cache.find(32, 0x1122_3344_5566_7708L, 0, 16));
    assertNotSame(plan, cache.find(64, 0x1022_3344_5566_7708L, 0, 16));
    assertSame(Result.TRUNCATED, cache.find(64, 0x1122_3344_5566_7708L, 0, 7).refusal);
    assertSame(plan, cache.find(64, 0x1122_3344_5566_7708L, 0, 16));
  }

  @Example
  void failuresOfTheMomentAreNotKept() {
    CountingDecoder decoder = new CountingDecoder();
    PlanCache cache = new PlanCache(decoder, 64);
    cache.find(64, 0, 0, 16);
    cache.find(64, 0, 0, 16);
    assertEquals(2, decoder.calls);
    assertEquals(2, cache.misses());
  }
}
