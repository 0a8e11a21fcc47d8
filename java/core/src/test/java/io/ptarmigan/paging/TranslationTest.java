// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.paging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.api.Bits;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.junit.jupiter.api.Test;

class TranslationTest {
  private static final EntryFormat FORMAT = new EntryFormat(PagingMode.FOUR_LEVEL, 46);
  private static final long VA = 0xFFFF_8123_4567_89ABL;
  private static final long BEYOND = 0x000F_C000_0000_0000L;

  /** What the processor would find, written out level by level after SDM vol. 3A, 5.5.4. */
  private static String processor(long e4, long e3, long e2, long e1, long va) {
    if ((e4 & 1) == 0 || (e4 & (BEYOND | 0x80)) != 0 || (e3 & 1) == 0 || (e3 & BEYOND) != 0) {
      return "none";
    }
    if ((e3 & 0x80) != 0) {
      return (e3 & 0x3FFF_E000L) != 0
          ? "none"
          : page(e3 & 0x0000_3FFF_C000_0000L | va & 0x3FFF_FFFFL, 3, e4 & e3, e4 | e3, e3);
    }
    if ((e2 & 1) == 0 || (e2 & BEYOND) != 0) {
      return "none";
    }
    if ((e2 & 0x80) != 0) {
      return (e2 & 0x1F_E000L) != 0
          ? "none"
          : page(e2 & 0x0000_3FFF_FFE0_0000L | va & 0x1F_FFFFL, 2, e4 & e3 & e2, e4 | e3 | e2, e2);
    }
    return (e1 & 1) == 0 || (e1 & BEYOND) != 0
        ? "none"
        : page(
            e1 & 0x0000_3FFF_FFFF_F000L | va & 0xFFF, 1, e4 & e3 & e2 & e1, e4 | e3 | e2 | e1, e1);
  }

  private static String page(long address, int level, long all, long some, long leaf) {
    return "%x %d rw=%b us=%b nx=%b key=%x"
        .formatted(
            address >>> 12, level, (all & 2) != 0, (all & 4) != 0, some < 0, leaf >>> 59 & 0xF);
  }

  private static Translation walk(long va, long... entries) {
    Translation walk = new Translation();
    walk.begin(0x1000);
    int level = 4;
    while (walk.descend(FORMAT, level, entries[4 - level], va)) {
      assertEquals(entries[4 - level] & 0x0000_3FFF_FFFF_F000L, walk.nextTable());
      level--;
    }
    return walk;
  }

  private static String text(Translation t) {
    long e = t.effective();
    return t.mapped() ? page(t.frame() << 12, t.pageLevel(), e, e, e) : "none";
  }

  /** Mostly present, with bits that end the walk set now and then. */
  @Provide
  Arbitrary<Long> entries() {
    Arbitrary<Long> any = Arbitraries.longs();
    return Arbitraries.frequencyOf(
        Tuple.of(1, any),
        Tuple.of(6, any.map(e -> e & 0xFFF0_3FFF_FFFF_FF7FL | 1)),
        Tuple.of(3, any.map(e -> e & 0xFFF0_3FFF_C000_1FFFL | 1)));
  }

  @Property(tries = 20_000)
  void walkIsTheProcessors(
      @ForAll("entries") long e4,
      @ForAll("entries") long e3,
      @ForAll("entries") long e2,
      @ForAll("entries") long e1,
      @ForAll long address) {
    long va = address << 16 >> 16;
    assertEquals(processor(e4, e3, e2, e1, va), text(walk(va, e4, e3, e2, e1)));
  }

  @Test
  void eachBitMattersOnlyIfChosen() {
    Translation page = walk(VA, 0x1007, 0x1007, 0x1007, 0x5007);
    assertMatters(page, walk(VA, 0x1007, 0x1007, 0x1007, 0x6007), Bits.FRAME);
    assertMatters(page, walk(VA, 0x1007, 0x1007, 0x1007, 0x5005), Bits.RW);
    assertMatters(page, walk(VA, 0x1007, 0x1003, 0x1007, 0x5007), Bits.US);
    assertMatters(page, walk(VA, 0x1007, 1L << 63 | 0x1007, 0x1007, 0x5007), Bits.NX);
    assertMatters(page, walk(VA, 0x1007, 0x1007, 0x1007, 5L << 59 | 0x5007), Bits.PKEY);
    assertMatters(page, walk(VA, 0x1007, 0x1007, 0x1007, 0x5006), Bits.P);
    Translation small = walk(VA, 0x1007, 0x1007, 0x1007, 0x0027_8007);
    assertMatters(small, walk(VA, 0x1007, 0x1007, 0x0020_0087, 0), Bits.PS);
  }

  private static void assertMatters(Translation before, Translation after, Bits bits) {
    Bits all = Bits.DEFAULT.with(Bits.PKEY);
    assertTrue(before.differs(after, bits.mask()));
    assertTrue(after.differs(before, bits.mask()));
    assertFalse(before.differs(after, all.without(bits).mask()));
    assertFalse(before.differs(before, all.mask()));
  }

  @Test
  void sightLostAlwaysMatters() {
    Translation lost = new Translation();
    lost.begin(0x1000);
    lost.unreadable();
    Translation page = walk(VA, 0x1007, 0x1007, 0x1007, 0x5007);
    assertTrue(page.differs(lost, Bits.FRAME.mask()));
    assertTrue(lost.differs(page, Bits.FRAME.mask()));
    assertFalse(lost.differs(lost, Bits.FRAME.mask()));
  }
}
