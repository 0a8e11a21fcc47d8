// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Watch;
import io.ptarmigan.paging.EntryFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Writes that come while tables are still being protected or read. */
class DelayTest extends Scenario {
  private static final String NONE = "ffffffffffffffff";

  DelayTest() {
    guest.poke(at(3, U3), U2 | LINK);
    guest.poke(at(2, U2), U1 | LINK);
    guest.poke(at(1, U1), OTHER | LINK);
  }

  /** A store up to its outcome, with no command carried out. */
  private FakeGuest.Store storeOnly(long gpa, long entry) {
    return finish(guest.store(gpa, entry));
  }

  private FakeGuest.Store finish(FakeGuest.Store store) {
    while (!store.finished) {
      guest.stepStream();
      guest.stepDecision();
    }
    while (guest.stepStream()) {}
    return store;
  }

  private Watch placeOnly() {
    Watch watch = writes.watches().watch(ROOT, VA, Bits.DEFAULT, this::collect);
    writes.poll();
    return watch;
  }

  @Test
  void changeIsToldOnceTheNewTableIsRead() {
    watch();
    storeOnly(at(2, T2), U1 | LINK);
    assertEquals(List.of(), told());
    guest.stepCommand(); // releases the old table
    assertEquals(Map.of(1L, 1, 2L, 1, 3L, 1), guest.protections());
    guest.stepCommand();
    guest.run();
    assertEquals(List.of("TABLE_REPLACED@2 55->66"), told());
  }

  @Test
  void writeToTheNewTableBeforeItIsReadIsPartOfIt() {
    watch();
    storeOnly(at(2, T2), U1 | LINK);
    guest.store(at(1, U1), PAGE + 0x1000 | LINK); // not protected yet
    guest.run();
    assertEquals(List.of("TABLE_REPLACED@2 55->56"), told());
  }

  @Test
  void writeBetweenProtectionAndAnswerIsToldAfterTheAnswer() {
    watch();
    storeOnly(at(2, T2), U1 | LINK);
    guest.stepCommand();
    guest.stepCommand(); // U1 is protected and read, the answers wait in the stream
    guest.store(at(1, U1), PAGE + 0x1000 | LINK);
    guest.run();
    assertEquals(List.of("TABLE_REPLACED@2 55->66", "REMAPPED@1 66->56"), told());
  }

  @Test
  void changeThatIsTakenBackBeforeItIsKnownIsNotTold() {
    watch();
    storeOnly(at(2, T2), U1 | LINK);
    storeOnly(at(2, T2), T1 | LINK);
    guest.run();
    assertEquals(List.of(), told());
    store(at(1, T1), OTHER | LINK);
    assertEquals(List.of("REMAPPED@1 55->66"), told());
    assertEquals(Map.of(1L, 1, 2L, 1, 3L, 1, 4L, 1), guest.protections());
  }

  @Test
  void unmapWhileTheNewTableIsReadIsOneChange() {
    watch();
    storeOnly(at(2, T2), U1 | LINK);
    FakeGuest.Store last = finish(guest.store(1, at(2, T2), 0xFF, 0));
    guest.run();
    ChangeRecord change = changes.get(0);
    assertEquals(1, change.vcpu());
    assertEquals(last.sequence, change.sequence());
    assertEquals(T1 | LINK, change.oldEntry());
    assertEquals(0, change.newEntry());
    assertEquals(List.of("UNMAPPED@2 55->" + NONE), told());
  }

  @Test
  void changesAtTwoLevelsAreToldAtTheHigher() {
    watch();
    storeOnly(at(2, T2), U1 | LINK);
    storeOnly(at(3, T3), U2 | LINK);
    guest.run();
    assertEquals(List.of("TABLE_REPLACED@3 55->66"), told());
  }

  @Test
  void laterChangeBelowDoesNotHideTheOneAbove() {
    guest.poke(at(2, U2), U1 | LINK);
    watch();
    storeOnly(at(3, T3), U2 | LINK);
    guest.stepCommand(); // release T1
    guest.stepCommand(); // release T2
    guest.stepCommand(); // U2 protected and read
    while (guest.stepStream()) {}
    storeOnly(at(2, U2), T1 | LINK); // while U1 is being read
    guest.run();
    assertEquals(List.of(), told(), "the same page, by way of U2 and T1");
    store(at(2, U2), U1 | LINK);
    assertEquals(List.of("TABLE_REPLACED@2 55->66"), told());
  }

  @Test
  void changesBeforeTheWatchIsInForceAreNotTold() {
    Watch watch = placeOnly();
    assertFalse(watch.inForce());
    guest.stepCommand(); // the root is protected and read
    guest.store(at(4, ROOT), U3 | LINK);
    guest.run();
    assertTrue(watch.inForce());
    assertEquals(List.of(), told());
    store(at(1, U1), PAGE | LINK);
    assertEquals(List.of("REMAPPED@1 66->55"), told(), "the path found is the new one");
  }

  @Test
  void writeBeforeTheReadIsPartOfTheAnswer() {
    guest.poke(at(1, T1) + 8, 0x77000 | LINK);
    watch();
    writes.watches().watch(ROOT, VA + 0x1000, Bits.DEFAULT, this::collect);
    writes.poll();
    storeOnly(at(1, T1) + 8, OTHER | LINK); // T1 is protected already
    guest.run();
    assertEquals(List.of(), told());
    assertEquals(0, writes.counters().get(WriteCounters.RESYNCS));
    store(at(1, T1) + 8, PAGE | LINK);
    assertEquals(List.of("REMAPPED@1 66->55"), told());
  }

  @Test
  void stepThatIsOverBeforeTheReadAndSeenAfterIsKnownAlready() {
    placeOnly();
    FakeGuest.Store step = guest.beginStep(at(1, T1), OTHER | LINK);
    guest.run();
    guest.endStep(step);
    guest.run();
    assertEquals(List.of(), told());
    assertEquals(0, writes.counters().get(WriteCounters.RESYNCS));
  }

  @Test
  void watchClosedWhileBeingPlacedLeavesNothingBehind() {
    placeOnly().close();
    guest.run();
    Watch second = placeOnly();
    guest.stepCommand();
    second.close();
    guest.run();
    assertEquals(Map.of(), guest.protections());
    assertFalse(second.inForce());
  }

  @Test
  void closedBeforeTheDeciderSawIt() {
    writes.watches().watch(ROOT, VA, Bits.DEFAULT, this::collect).close();
    guest.run();
    assertEquals(List.of(), guest.commandLog);
  }

  @Test
  void fullCommandRingOnlyDelays() {
    guest.commandRoom = 1;
    watch();
    writes.watches().watch(ROOT, VA + 0x1000, Bits.DEFAULT, this::collect);
    writes.watches().watch(ROOT, VA + 0x20_0000, Bits.DEFAULT, this::collect);
    writes.poll();
    assertFalse(writes.settled());
    guest.run();
    assertTrue(writes.settled());
    guest.commandRoom = 0;
    storeOnly(at(3, T3), U2 | LINK);
    guest.run();
    assertEquals(List.of(), told(), "no room to ask");
    guest.commandRoom = 1;
    guest.run();
    assertTrue(told().contains("TABLE_REPLACED@3 55->66"));
  }

  @Test
  void watchPlacedWhileAnExitIsInFlight() {
    watch();
    FakeGuest.Store store = guest.store(at(1, T1), OTHER | LINK);
    Watch second = placeOnly();
    guest.run();
    assertTrue(store.finished);
    assertTrue(second.inForce());
    assertEquals(2, changes.stream().map(ChangeRecord::watch).distinct().count());
  }

  @Test
  void watchPlacedInACallbackOfTheChangeItself() {
    Watch[] second = new Watch[1];
    TranslationListener placing =
        change -> second[0] = writes.watches().watch(ROOT, VA, Bits.DEFAULT, this::collect);
    writes.watches().watch(ROOT, VA, Bits.DEFAULT, placing);
    guest.run();
    store(at(1, T1), OTHER | LINK);
    assertTrue(second[0].inForce());
    assertEquals(List.of(), told(), "the change that placed it is not news to it");
    second[0].close();
    guest.run();
    assertEquals(4, guest.protections().size());
  }

  @Test
  void watchClosedInACallback() {
    int[] calls = new int[1];
    TranslationListener closing =
        change -> {
          calls[0]++;
          change.watch().close();
        };
    writes.watches().watch(ROOT, VA, Bits.DEFAULT, closing);
    guest.run();
    store(at(1, T1), OTHER | LINK);
    store(at(1, T1), PAGE | LINK);
    assertEquals(1, calls[0]);
    assertEquals(Map.of(), guest.protections());
  }

  @Test
  void walkerSettingBitsLosesTheSwapNotTheChange() {
    watch();
    FakeGuest.Store store = guest.store(at(1, T1), OTHER | LINK);
    guest.stepStream();
    guest.poke(at(1, T1), PAGE | LINK | EntryFormat.A);
    guest.stepDecision(); // lost: published again
    assertFalse(store.finished);
    guest.run();
    assertEquals(PAGE | LINK | EntryFormat.A, changes.get(0).oldEntry());
    assertEquals(List.of("REMAPPED@1 55->66"), told());
    assertEquals(2, writes.counters().get(WriteCounters.JUDGED));
  }
}
