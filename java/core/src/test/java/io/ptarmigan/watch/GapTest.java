// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationChange.How;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.api.Watch;
import io.ptarmigan.paging.EntryFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Writes that nobody told, because the decider had not kept up. */
class GapTest extends Scenario {
  private static final String NONE = "ffffffffffffffff";

  private void missed() {
    writes.missed();
    guest.run();
  }

  @Test
  void whatChangedUnseenIsToldAsResync() {
    watch();
    guest.poke(at(1, T1), OTHER | LINK);
    missed();
    ChangeRecord change = changes.get(0);
    assertEquals(How.RESYNC, change.how());
    assertEquals(-1, change.vcpu());
    assertEquals(PAGE | LINK, change.oldEntry());
    assertEquals(OTHER | LINK, change.newEntry());
    assertEquals(List.of("REMAPPED@1 55->66"), told());
    assertEquals(1, writes.counters().get(WriteCounters.GAPS));
  }

  @Test
  void whatStayedTheSameIsSilentAndSoAreAccessedAndDirty() {
    watch();
    guest.poke(at(1, T1), PAGE | LINK | EntryFormat.A | EntryFormat.D);
    missed();
    assertEquals(List.of(), told());
    assertEquals(4, guest.protections().size());
  }

  @Test
  void aTableReplacedUnseenIsFollowed() {
    watch();
    guest.poke(at(2, T2), U1 | LINK);
    guest.poke(at(1, U1), OTHER | LINK);
    missed();
    assertEquals(List.of("TABLE_REPLACED@2 55->66"), told());
    store(at(1, U1), 0);
    assertEquals(List.of("UNMAPPED@1 66->" + NONE), told());
  }

  @Test
  void aWriteThatComesBeforeTheAnswerIsToldOnce() {
    watch();
    guest.poke(at(1, T1), OTHER | LINK);
    writes.missed();
    guest.store(at(1, T1), 0x77000 | LINK);
    guest.run();
    assertEquals(List.of("REMAPPED@1 55->66", "REMAPPED@1 66->77"), told());
  }

  @Test
  void entriesAreStillJudgedByWhileTheyAreReadAgain() {
    int[] asked = new int[1];
    watch(
        ROOT,
        VA,
        Bits.DEFAULT,
        proposed -> {
          asked[0]++;
          return Verdict.DENY;
        });
    writes.missed();
    guest.store(at(1, T1), OTHER | LINK);
    assertTrue(guest.stepStream(), "the exit, before any answer");
    assertEquals(1, asked[0]);
    guest.run();
    assertEquals(List.of(), told());
  }

  @Test
  void aWatchClosedMeanwhileLeavesNothingBehind() {
    Watch watch = watch();
    writes.missed();
    watch.close();
    guest.run();
    missed();
    assertEquals(0, guest.protections().size());
    assertEquals(List.of(), told());
  }

  /**
   * After each gap the listener knows what a walk would find, whatever was seen and what was not.
   */
  @Test
  void anyMixtureOfSeenAndUnseenWritesEndsInTheTruth() {
    SplittableRandom random = new SplittableRandom(7);
    long[][] entries = {
      {},
      {0, PAGE | LINK, OTHER | LINK, PAGE | EntryFormat.P},
      {0, T1 | LINK, U1 | LINK},
      {0, T2 | LINK, U2 | LINK},
      {T3 | LINK}
    };
    long[][] tables = {{}, {T1, U1}, {T2, U2}, {T3}, {ROOT}};
    watch();
    long known = PAGE >>> 12;
    for (int round = 0; round < 3000; round++) {
      for (int i = random.nextInt(4); i >= 0; i--) {
        int level = 1 + random.nextInt(3);
        long gpa = at(level, tables[level][random.nextInt(tables[level].length)]);
        long entry = entries[level][random.nextInt(entries[level].length)];
        if (random.nextBoolean()) {
          guest.poke(gpa, entry);
        } else {
          guest.store(gpa, entry);
        }
        if (random.nextInt(4) == 0) {
          writes.missed();
        }
      }
      missed();
      for (ChangeRecord change : changes) {
        known = change.newFrame();
      }
      changes.clear();
      assertEquals(walk(), known, "round " + round);
    }
    assertTrue(writes.counters().get(WriteCounters.RESYNCS) > 100);
  }

  private long walk() {
    long table = ROOT;
    for (int level = 4; level >= 1; level--) {
      long entry = guest.get(at(level, table));
      if ((entry & EntryFormat.P) == 0) {
        return TranslationChange.NO_FRAME;
      }
      table = entry & EntryFormat.FRAME;
    }
    return table >>> 12;
  }
}
