// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationChange.Cause;
import io.ptarmigan.api.TranslationChange.How;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.paging.EntryFormat;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Writes judged before they happen. */
class VetoTest extends Scenario {
  private final List<ChangeRecord> proposals = new ArrayList<>();
  private Verdict verdict = Verdict.DENY;

  private Verdict propose(TranslationChange change) {
    ChangeRecord copy = new ChangeRecord(FORMAT);
    copy.copyFrom(change);
    proposals.add(copy);
    return verdict;
  }

  private void judge() {
    watch(ROOT, VA, Bits.DEFAULT, this::propose);
  }

  @Test
  void deniedWriteLeavesMemoryAndIsNotTold() {
    judge();
    FakeGuest.Store store = store(at(1, T1), OTHER | LINK);
    assertEquals(PageTableWrites.DENY | PageTableWrites.RELEVANT, store.verdict);
    assertEquals(PAGE | LINK, guest.get(at(1, T1)));
    assertEquals(List.of(), told());
    ChangeRecord asked = proposals.get(0);
    assertEquals(How.PROPOSED, asked.how());
    assertEquals(Cause.REMAPPED, asked.cause());
    assertEquals(PAGE >>> 12, asked.oldFrame());
    assertEquals(OTHER >>> 12, asked.newFrame());
    assertEquals(PAGE | LINK, asked.oldEntry());
    assertEquals(OTHER | LINK, asked.newEntry());
    assertEquals(store.sequence, asked.sequence());
    assertEquals(FakeGuest.RIP, asked.instruction());
    assertEquals(1, writes.counters().get(WriteCounters.VETOED));
    assertEquals(1, writes.counters().get(WriteCounters.DENIED));
  }

  @Test
  void allowedWriteIsAskedThenTold() {
    verdict = Verdict.ALLOW;
    judge();
    assertEquals(PageTableWrites.RELEVANT, store(at(1, T1), OTHER | LINK).verdict);
    assertEquals(1, proposals.size());
    assertEquals(List.of("REMAPPED@1 55->66"), told());
  }

  @Test
  void irrelevantWritesAreNotAskedAbout() {
    judge();
    assertEquals(0, store(at(1, T1), PAGE | LINK | EntryFormat.A).verdict);
    assertEquals(0, store(at(1, T1) + 8, OTHER | LINK).verdict);
    assertEquals(0, store(at(1, T1), PAGE | LINK | 1L << 52).verdict);
    assertEquals(List.of(), proposals);
  }

  @Test
  void vetoAboveWhereTheNewTableIsNotRead() {
    guest.poke(at(1, U1), PAGE | LINK);
    judge();
    store(at(2, T2), U1 | LINK);
    ChangeRecord asked = proposals.get(0);
    assertEquals(Cause.TABLE_REPLACED, asked.cause());
    assertEquals(TranslationChange.UNKNOWN_FRAME, asked.newFrame());
    assertEquals(T1 | LINK, guest.get(at(2, T2)));
  }

  @Test
  void newTableThatAnotherWatchHasReadIsKnown() {
    long root = 0x9000;
    guest.poke(FORMAT.entryAddress(4, root, VA), U3 | LINK);
    guest.poke(at(3, U3), U2 | LINK);
    guest.poke(at(2, U2), U1 | LINK);
    guest.poke(at(1, U1), OTHER | LINK);
    watch(root, VA, Bits.DEFAULT);
    judge();
    store(at(3, T3), U2 | LINK);
    assertEquals(OTHER >>> 12, proposals.get(0).newFrame());
    guest.poke(at(1, U1), 0);
    store(at(3, T3), 0);
    assertEquals(Cause.UNMAPPED, proposals.get(1).cause());
  }

  @Test
  void splitAndTableAppearingArePredicted() {
    judge();
    verdict = Verdict.ALLOW;
    store(at(2, T2), 0x60_0000 | LARGE);
    store(at(2, T2), U1 | LINK);
    store(at(2, T2), 0);
    store(at(2, T2), T1 | LINK);
    assertEquals(
        List.of(Cause.MERGED, Cause.SPLIT, Cause.MAPPED),
        proposals.stream().map(ChangeRecord::cause).toList());
  }

  @Test
  void unmappingRightsAndReservedBitsArePredicted() {
    judge();
    store(at(4, ROOT), 0);
    store(at(3, T3), T2 | LINK & ~EntryFormat.US);
    store(at(1, T1), PAGE | LINK | 1L << 50);
    assertEquals(
        List.of(Cause.UNMAPPED, Cause.RIGHTS_CHANGED, Cause.UNMAPPED),
        proposals.stream().map(ChangeRecord::cause).toList());
  }

  @Test
  void firstDenialEndsTheAsking() {
    List<Integer> asked = new ArrayList<>();
    Verdict[] answers = {Verdict.ALLOW, Verdict.DENY, Verdict.ALLOW};
    for (int i = 0; i < answers.length; i++) {
      int number = i;
      watch(
          ROOT,
          VA,
          Bits.DEFAULT,
          change -> {
            asked.add(number);
            return answers[number];
          });
    }
    store(at(1, T1), OTHER | LINK);
    store(at(1, T1), OTHER | LINK);
    assertEquals(List.of(0, 1, 0, 1), asked);
  }

  @Test
  void oneDeniedEntryDeniesTheWholeWrite() {
    guest.poke(at(1, T1) + 8, 0x77000 | LINK);
    watch(ROOT, VA + 0x1000, Bits.DEFAULT, this::propose);
    guest.store(0, at(1, T1), 0xFFFF, OTHER | LINK, 0x88000 | LINK);
    guest.run();
    assertEquals(PAGE | LINK, guest.get(at(1, T1)));
    assertEquals(0x77000 | LINK, guest.get(at(1, T1) + 8));
  }

  @Test
  void bothEntriesOfAPathInOneWrite() {
    // T1's page is also the watched page table's parent: entries side by side at two levels.
    long va = VA & ~0x3FF_F000L | 5L << 21 | 6L << 12;
    guest.poke(T2 + 5 * 8, T2 | LINK);
    guest.poke(T2 + 6 * 8, PAGE | LINK);
    long upper = va & ~0x3FFF_FFFFL | 5L << 21 | 6L << 12;
    verdict = Verdict.ALLOW;
    watch(ROOT, upper, Bits.DEFAULT, this::propose);
    guest.store(0, T2 + 5 * 8, 0xFFFF, T2 | LINK & ~EntryFormat.RW, OTHER | LINK);
    guest.run();
    assertEquals(1, proposals.size());
    assertEquals(2, proposals.get(0).level());
    assertEquals(OTHER >>> 12, proposals.get(0).newFrame());
    assertEquals(1, changes.size());
    assertEquals(OTHER >>> 12, changes.get(0).newFrame());
  }

  @Test
  void listenerThatThrowsAllowsAndIsCounted() {
    watch(
        ROOT,
        VA,
        Bits.DEFAULT,
        change -> {
          throw new IllegalStateException("broken listener");
        });
    store(at(1, T1), OTHER | LINK);
    assertEquals(OTHER | LINK, guest.get(at(1, T1)));
    assertEquals(1, writes.counters().get(WriteCounters.LISTENER_FAILURES));
    assertEquals(1, changes.size());
  }

  @Test
  void closedInBeforeIsNotAskedAgain() {
    watch(
        ROOT,
        VA,
        Bits.DEFAULT,
        change -> {
          proposals.add(new ChangeRecord(FORMAT));
          change.watch().close();
          return Verdict.ALLOW;
        });
    store(at(1, T1), OTHER | LINK);
    store(at(1, T1), PAGE | LINK);
    assertEquals(1, proposals.size());
    assertEquals(List.of(), told());
    assertEquals(0, guest.protections().size());
  }

  @Test
  void addressesThatCannotBeAreRefused() {
    assertThrows(
        IllegalArgumentException.class, () -> watch(ROOT, 0x0000_8000_0000_0000L, Bits.DEFAULT));
    assertThrows(IllegalArgumentException.class, () -> watch(1L << 46, VA, Bits.DEFAULT));
    assertThrows(
        NullPointerException.class, () -> writes.watches().watch(ROOT, VA, Bits.DEFAULT, null));
  }
}
