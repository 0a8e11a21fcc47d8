// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationChange.Cause;
import io.ptarmigan.api.TranslationChange.How;
import io.ptarmigan.api.Watch;
import io.ptarmigan.paging.EntryFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Changes of one watched address, by writes at every level. */
class WatchTest extends Scenario {
  private static final String NONE = "ffffffffffffffff";

  /** The table that holds the entry of a level, and what the entry links or maps. */
  private static final long[] TABLE = {0, T1, T2, T3, ROOT};

  private static final long[] TARGET = {0, PAGE, T1, T2, T3};

  @Test
  void placingProtectsEachTableOnceBeforeReadingIt() {
    Watch watch = watch();
    assertTrue(watch.inForce());
    assertEquals(Map.of(1L, 1, 2L, 1, 3L, 1, 4L, 1), guest.protections());
    assertEquals(
        List.of(
            "1 %x".formatted(at(4, ROOT)),
            "1 %x".formatted(at(3, T3)),
            "1 %x".formatted(at(2, T2)),
            "1 %x".formatted(at(1, T1))),
        guest.commandLog);
    assertEquals(List.of(), told());
  }

  @Test
  void everyFieldOfAChangeIsFilled() {
    Watch watch = watch();
    FakeGuest.Store store = guest.store(1, at(1, T1), 0xFF, OTHER | LINK);
    guest.run();
    ChangeRecord change = changes.get(0);
    assertEquals(watch, change.watch());
    assertEquals(VA, change.address());
    assertEquals(ROOT, change.cr3());
    assertEquals(1, change.level());
    assertEquals(PAGE | LINK, change.oldEntry());
    assertEquals(OTHER | LINK, change.newEntry());
    assertEquals(PAGE >>> 12, change.oldFrame());
    assertEquals(OTHER >>> 12, change.newFrame());
    assertEquals(4096, change.oldPageSize());
    assertEquals(4096, change.newPageSize());
    assertEquals(Cause.REMAPPED, change.cause());
    assertEquals(How.APPLIED, change.how());
    assertEquals(1, change.vcpu());
    assertEquals(store.sequence, change.sequence());
    assertEquals(FakeGuest.RIP, change.instruction());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void pageOutAndInAtEveryLevel(int level) {
    watch();
    long entry = at(level, TABLE[level]);
    store(entry, 0);
    assertEquals(List.of("UNMAPPED@" + level + " 55->" + NONE), told());
    assertEquals(5 - level, guest.protections().size(), "tables that fell off are released");
    store(entry, TARGET[level] | LINK);
    assertEquals(List.of("MAPPED@" + level + " " + NONE + "->55"), told());
    assertEquals(4, guest.protections().size());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void placedWhereALevelIsNotPresent(int level) {
    guest.poke(at(level, TABLE[level]), 0);
    assertTrue(watch().inForce());
    assertEquals(5 - level, guest.protections().size());
    store(at(level, TABLE[level]), TARGET[level] | LINK);
    assertEquals(List.of("MAPPED@" + level + " " + NONE + "->55"), told());
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void tableReplacedByOneWithAnotherFrame(int level) {
    buildSecondPath(OTHER);
    watch();
    long second = new long[] {0, 0, U1, U2, U3}[level];
    store(at(level, TABLE[level]), second | LINK);
    assertEquals(List.of("TABLE_REPLACED@" + level + " 55->66"), told());
    store(at(1, T1), 0);
    assertEquals(List.of(), told(), "the old path is nobody's");
    store(at(1, U1), PAGE | LINK);
    assertEquals(List.of("REMAPPED@1 66->55"), told());
    assertEquals(4, guest.protections().size());
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void tableReplacedByACopyChangesNothingButIsFollowed(int level) {
    buildSecondPath(PAGE);
    watch();
    store(at(level, TABLE[level]), new long[] {0, 0, U1, U2, U3}[level] | LINK);
    assertEquals(List.of(), told());
    store(at(1, U1), OTHER | LINK);
    assertEquals(List.of("REMAPPED@1 55->66"), told());
  }

  private void buildSecondPath(long page) {
    guest.poke(at(3, U3), U2 | LINK);
    guest.poke(at(2, U2), U1 | LINK);
    guest.poke(at(1, U1), page | LINK);
  }

  @Test
  void rightsInForceAreThoseOfAllLevels() {
    watch();
    store(at(3, T3), T2 | LINK & ~EntryFormat.RW);
    assertEquals(List.of("RIGHTS_CHANGED@3 55->55"), told());
    store(at(1, T1), PAGE | LINK & ~EntryFormat.RW);
    assertEquals(List.of(), told(), "it was read-only already");
    store(at(3, T3), T2 | LINK);
    assertEquals(List.of(), told(), "it is read-only still");
    store(at(1, T1), PAGE | LINK | EntryFormat.NX);
    assertEquals(List.of("RIGHTS_CHANGED@1 55->55"), told());
  }

  @Test
  void splitAndMergeOfLargePages() {
    long region2M = 0x0060_0000L;
    long frame2M = region2M + (VA & 0x1F_F000) >>> 12;
    watch();
    store(at(2, T2), region2M | LARGE);
    assertEquals(List.of("MERGED@2 55->%x".formatted(frame2M)), told());
    assertEquals(3, guest.protections().size());
    guest.poke(at(1, U1), region2M + (VA & 0x1F_F000) | LINK);
    store(at(2, T2), U1 | LINK);
    assertEquals(List.of("SPLIT@2 %1$x->%1$x".formatted(frame2M)), told());

    long region1G = 0x4000_0000L;
    long frame1G = region1G + (VA & 0x3FFF_F000) >>> 12;
    store(at(3, T3), region1G | LARGE);
    assertEquals(List.of("MERGED@3 %x->%x".formatted(frame2M, frame1G)), told());
    guest.poke(at(2, U2), region2M | LARGE);
    store(at(3, T3), U2 | LINK);
    assertEquals(List.of("SPLIT@3 %x->%x".formatted(frame1G, frame2M)), told());
    store(at(2, U2), 2 * region2M | LARGE);
    assertEquals(
        List.of("REMAPPED@2 %x->%x".formatted(frame2M, frame2M + (region2M >>> 12))), told());
  }

  @Test
  void subEntryStoreIsEffectiveAtOnce() {
    watch();
    guest.store(0, at(1, T1), 0x0F, 0x0009_9000L | LINK);
    guest.run();
    assertEquals(List.of("REMAPPED@1 55->99"), told());
    guest.store(0, at(1, T1), 0xF0, 0x0000_0001_0000_0000L);
    guest.run();
    assertEquals(List.of("REMAPPED@1 99->100099"), told());
    guest.store(0, at(1, T1), 0x01, LINK & ~EntryFormat.RW);
    guest.run();
    assertEquals(List.of("RIGHTS_CHANGED@1 100099->100099"), told());
  }

  @Test
  void sameValueAndSoftwareBitsAndWalkerBitsAreNoChange() {
    watch();
    store(at(1, T1), PAGE | LINK);
    store(at(1, T1), PAGE | LINK | 1L << 9 | 1L << 8);
    guest.poke(at(1, T1), guest.get(at(1, T1)) | EntryFormat.A | EntryFormat.D);
    store(at(1, T1), PAGE | LINK);
    assertEquals(List.of(), told());
    assertEquals(0, writes.counters().get(WriteCounters.RELEVANT));
    assertEquals(0, writes.counters().get(WriteCounters.RESYNCS));
    assertEquals(3, writes.counters().get(WriteCounters.HITS));
  }

  @Test
  void oldEntryIsTheOneReplaced() {
    watch();
    guest.poke(at(1, T1), PAGE | LINK | EntryFormat.A | EntryFormat.D);
    store(at(1, T1), OTHER | LINK);
    assertEquals(PAGE | LINK | EntryFormat.A | EntryFormat.D, changes.get(0).oldEntry());
  }

  @Test
  void notPresentToNotPresentIsNothing() {
    watch();
    store(at(1, T1), 0);
    told();
    store(at(1, T1), 0x1234_5678_9000L);
    store(at(1, T1), 0);
    assertEquals(List.of(), told());
  }

  @Test
  void reservedBitUnmaps() {
    watch();
    store(at(1, T1), PAGE | LINK | 1L << 46);
    assertEquals(List.of("UNMAPPED@1 55->" + NONE), told());
    store(at(1, T1), PAGE | LINK);
    told();
    store(at(4, ROOT), T3 | LARGE);
    assertEquals(List.of("UNMAPPED@4 55->" + NONE), told());
    assertEquals(1, guest.protections().size());
  }

  @Test
  void neighbourEntriesAreNotReported() {
    watch();
    store(at(1, T1) + 8, OTHER | LINK);
    store(at(1, T1) - 8, OTHER | LINK);
    assertEquals(List.of(), told());
    assertEquals(OTHER | LINK, guest.get(at(1, T1) + 8));
    assertEquals(0, writes.counters().get(WriteCounters.HITS));
  }

  @Test
  void unalignedStoreReachesTheEntryBehind() {
    watch();
    // 8 bytes at offset 6 of the entry before: two of its bytes, six of the watched one.
    guest.store(0, at(1, T1) - 8, 0x3FC0, 0, 0x0009_9000L | LINK);
    guest.run();
    assertEquals(List.of("REMAPPED@1 55->99"), told());
  }

  @Test
  void onlyChosenBitsAreTold() {
    watch(ROOT, VA, Bits.FRAME);
    store(at(1, T1), PAGE | LINK & ~EntryFormat.RW);
    store(at(1, T1), 0);
    store(at(1, T1), PAGE | LINK);
    assertEquals(List.of(), told(), "page-out and page-in to the same frame");
    store(at(1, T1), 0);
    store(at(1, T1), OTHER | LINK);
    assertEquals(List.of("REMAPPED@1 55->66"), told());
  }

  @Test
  void protectionKeyOnRequest() {
    watch();
    watch(ROOT, VA, Bits.PKEY);
    store(at(1, T1), PAGE | LINK | 5L << 59);
    assertEquals(1, changes.size());
    assertEquals(Bits.PKEY, changes.get(0).watch().bits());
    assertEquals(Cause.RIGHTS_CHANGED, changes.get(0).cause());
  }

  @Test
  void steppedWriteIsToldAsSuch() {
    watch();
    guest.endStep(guest.beginStep(at(1, T1), OTHER | LINK));
    guest.run();
    assertEquals(How.STEPPED, changes.get(0).how());
    assertEquals(List.of("REMAPPED@1 55->66"), told());
  }

  @Test
  void unseenChangeIsFoundByTheNextWrite() {
    watch();
    guest.poke(at(1, T1), OTHER | LINK);
    store(at(1, T1), PAGE + 0x1000 | LINK);
    assertEquals(How.RESYNC, changes.get(0).how());
    assertEquals(How.APPLIED, changes.get(1).how());
    assertEquals(List.of("REMAPPED@1 55->66", "REMAPPED@1 66->56"), told());
    assertEquals(1, writes.counters().get(WriteCounters.RESYNCS));
  }

  @Test
  void closingReleasesEverything() {
    Watch watch = watch();
    watch.close();
    watch.close();
    assertFalse(watch.inForce());
    guest.run();
    assertEquals(Map.of(), guest.protections());
    assertEquals(0, writes.counters().get(WriteCounters.WATCHES));
    store(at(1, T1), OTHER | LINK);
    assertEquals(List.of(), told());
    watch();
    store(at(1, T1), PAGE | LINK);
    assertEquals(List.of("REMAPPED@1 66->55"), told(), "watched again");
  }

  @Test
  void requestsWakeTheDecider() {
    Watch watch = watch();
    assertEquals(1, wakes);
    watch.close();
    assertEquals(2, wakes);
  }

  @Test
  void textSaysWhatHappenedInWords() {
    watch();
    store(at(1, T1), OTHER | LINK & ~EntryFormat.RW);
    TranslationChange change = changes.get(0);
    assertEquals(
        "0x7f1234567000 level 1 remapped: present writable user frame=0x55 4K"
            + " -> present read-only user frame=0x66 4K; frame 0x55 in 4K page"
            + " -> frame 0x66 in 4K page (vcpu 0, exit 1, rip 0xffff800000100000, applied)",
        change.toString());
  }
}
