// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange.Cause;
import io.ptarmigan.api.Watch;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Entries and tables that several watches, levels or roots go through, and guests that mean harm.
 */
class SharingTest extends Scenario {
  private static final long SECOND_ROOT = 0x9000;

  private List<Watch> toldWatches() {
    return changes.stream().map(ChangeRecord::watch).toList();
  }

  @Test
  void twoWatchesOnOneAddressInOrderOfPlacement() {
    Watch first = watch();
    Watch second = watch();
    assertEquals(4, guest.commandLog.size(), "the second finds everything known");
    store(at(1, T1), OTHER | LINK);
    assertEquals(List.of(first, second), toldWatches());
    first.close();
    guest.run();
    assertEquals(4, guest.protections().size());
    changes.clear();
    store(at(1, T1), PAGE | LINK);
    assertEquals(List.of(second), toldWatches());
  }

  @Test
  void orderOfPlacementSurvivesMoves() {
    Watch first = watch();
    Watch second = watch();
    long u1 = at(1, U1);
    guest.poke(u1, OTHER | LINK);
    guest.poke(FORMAT.entryAddress(4, SECOND_ROOT, VA), T3 | LINK);
    Watch third = watch(SECOND_ROOT, VA, Bits.DEFAULT);
    store(at(4, ROOT), 0);
    store(at(4, ROOT), T3 | LINK);
    changes.clear();
    store(at(2, T2), U1 | LINK);
    assertEquals(List.of(first, second, third), toldWatches());
  }

  @Test
  void changeAboveIsToldForEveryAddressBelow() {
    guest.poke(at(1, T1) + 8, 0x77000 | LINK);
    guest.poke(at(1, U1), OTHER | LINK);
    guest.poke(at(1, U1) + 8, 0x77000 | LINK);
    Watch first = watch();
    watch(ROOT, VA + 0x1000, Bits.DEFAULT);
    store(at(2, T2), U1 | LINK);
    assertEquals(List.of(first), toldWatches(), "the second address has its frame still");
    changes.clear();
    store(at(2, T2), 0);
    assertEquals(2, changes.size());
  }

  @Test
  void oneWriteOverSeveralWatchedEntries() {
    guest.poke(at(1, T1) + 8, 0x77000 | LINK);
    watch();
    watch(ROOT, VA + 0x1000, Bits.DEFAULT);
    guest.store(0, at(1, T1), 0xFFFF, OTHER | LINK, 0x88000 | LINK);
    guest.run();
    assertEquals(List.of("REMAPPED@1 55->66", "REMAPPED@1 77->88"), told());
  }

  @Test
  void sharedTableUnderTwoRoots() {
    guest.poke(FORMAT.entryAddress(4, SECOND_ROOT, VA), T3 | LINK);
    watch();
    Watch other = watch(SECOND_ROOT, VA, Bits.DEFAULT);
    assertEquals(5, guest.protections().size());
    store(at(1, T1), OTHER | LINK);
    assertEquals(2, changes.size());
    changes.clear();
    store(at(4, ROOT), 0);
    assertEquals(1, changes.size());
    assertEquals(5, guest.protections().size(), "the other root holds the tables");
    other.close();
    guest.run();
    assertEquals(Map.of(1L, 1), guest.protections());
  }

  @Test
  void pcidAndFlagsOfCr3AreNotPartOfTheRoot() {
    watch(ROOT | 1L << 63 | 0xFFF, VA, Bits.DEFAULT);
    store(at(1, T1), OTHER | LINK);
    assertEquals(1, changes.size());
  }

  /** The root maps itself: one table page serves at several levels of one path. */
  @Test
  void selfMap() {
    int slot = 0x1ED;
    guest.poke(ROOT + slot * 8L, ROOT | LINK);
    // Levels 4 and 3 go by the self-map, so this is the page table that level 2's entry links.
    long va = 0xFFFF_0000_0000_0000L | (long) slot << 39 | (long) slot << 30 | VA >>> 18 & ~0xFFFL;
    long target = va & ~0x3FFF_FFFFL | (VA >>> 39 & 0x1FF) << 21 | (VA >>> 30 & 0x1FF) << 12;
    watch(ROOT, target, Bits.DEFAULT);
    assertEquals(Map.of(1L, 1, 2L, 1), guest.protections());
    store(at(3, T3), U2 | LINK);
    assertEquals(List.of("REMAPPED@1 3->13"), told());
    store(ROOT + slot * 8L, 0);
    assertEquals(1, changes.size());
    assertEquals(4, changes.get(0).level());
    assertEquals(Cause.UNMAPPED, changes.get(0).cause());
    changes.clear();
    store(ROOT + slot * 8L, ROOT | LINK);
    assertEquals(List.of("MAPPED@4 ffffffffffffffff->13"), told());
  }

  @Test
  void oneEntryAtAllFourLevels() {
    int slot = 0x1ED;
    long entry = ROOT + slot * 8L;
    guest.poke(entry, ROOT | LINK);
    long va =
        0xFFFF_0000_0000_0000L
            | (long) slot << 39
            | (long) slot << 30
            | (long) slot << 21
            | (long) slot << 12;
    watch(ROOT, va, Bits.DEFAULT);
    assertEquals(Map.of(1L, 1), guest.protections());
    store(entry, ROOT | LINK & ~2L);
    assertEquals(List.of("RIGHTS_CHANGED@4 1->1"), told());
    store(entry, ROOT | LINK);
    store(entry, 0);
    assertEquals(2, changes.size());
  }

  @Test
  void watchOnTheWatchedTableItself() {
    watch();
    guest.poke(at(1, T1) + 8, T1 | LINK);
    watch(ROOT, VA + 0x1000, Bits.DEFAULT);
    store(at(1, T1) + 8, OTHER | LINK);
    assertEquals(List.of("REMAPPED@1 4->66"), told());
  }

  @Test
  void tableOutsideTheGuestIsUnreadableAndReported() {
    watch();
    store(at(2, T2), (FRAMES + 5 << 12) | LINK);
    assertEquals(List.of("UNREADABLE@2 55->fffffffffffffffe"), told());
    assertEquals(3, guest.protections().size());
    store(at(2, T2), (FRAMES + 6 << 12) | LINK);
    assertEquals(List.of(), told());
    store(at(2, T2), T1 | LINK);
    assertEquals(List.of("MAPPED@2 fffffffffffffffe->55"), told());
  }

  @Test
  void rootOutsideTheGuestIsReportedWhenPlaced() {
    Watch watch = watch(FRAMES << 12, VA, Bits.DEFAULT);
    assertEquals(List.of("UNREADABLE@4 fffffffffffffffe->fffffffffffffffe"), told());
    assertTrue(watch.inForce());
    watch.close();
    guest.run();
    assertEquals(Map.of(), guest.protections());
  }

  @Test
  void secondWatchAsksForAnUnreadableTableAgain() {
    guest.poke(at(2, T2), (FRAMES + 5 << 12) | LINK);
    watch();
    told();
    int asked = guest.commandLog.size();
    watch();
    assertEquals(asked + 1, guest.commandLog.size());
    assertEquals(1, told().size(), "told to the second only");
  }

  @Test
  void readsWithoutProtectionAreNotBelieved() {
    guest.unprotectable.add(T1 >>> 12);
    guest.poke(at(1, T1) + 8, 0x77000 | LINK);
    writes.watches().watch(ROOT, VA, Bits.DEFAULT, this::collect);
    writes.watches().watch(ROOT, VA + 0x1000, Bits.DEFAULT, this::collect);
    guest.run();
    assertEquals(List.of(Cause.UNREADABLE, Cause.UNREADABLE), causes());
    assertEquals(3, guest.protections().size());
    guest.unprotectable.clear();
    store(at(2, T2), 0);
    store(at(2, T2), T1 | LINK);
    assertEquals(List.of(Cause.UNMAPPED, Cause.UNMAPPED, Cause.MAPPED, Cause.MAPPED), causes());
    assertEquals(4, guest.protections().size());
  }

  private List<Cause> causes() {
    List<Cause> causes = changes.stream().map(ChangeRecord::cause).toList();
    changes.clear();
    return causes;
  }

  @Test
  void samePageAtAllLevelsOfManyAddresses() {
    long page = 0x30000;
    for (int i = 0; i < 512; i++) {
      guest.poke(page + 8L * i, page | LINK);
    }
    for (long va = 0; va < 512L << 12; va += 4096) {
      watch(page, va, Bits.DEFAULT);
    }
    assertEquals(Map.of(page >>> 12, 1), guest.protections());
    store(page, 0);
    assertEquals(512, changes.size(), "entry 0 is on every path, once each");
    changes.clear();
    store(page, page | LINK);
    assertEquals(512, changes.size());
  }
}
