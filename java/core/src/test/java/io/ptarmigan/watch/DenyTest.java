// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationChange.Cause;
import io.ptarmigan.api.TranslationChange.How;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.api.Watch;
import io.ptarmigan.paging.EntryFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Entries that a watch keeps as they are: the rules that the native side holds follow its path. */
class DenyTest extends Scenario {
  private static final long NO_WRITE = LINK & ~EntryFormat.RW;

  private final List<ChangeRecord> attempts = new ArrayList<>();
  private int asked;

  private Watch deny(Bits bits) {
    Watch watch =
        writes
            .watches()
            .deny(
                ROOT,
                VA,
                bits,
                new TranslationListener() {
                  @Override
                  public Verdict before(TranslationChange proposed) {
                    asked++;
                    return Verdict.ALLOW;
                  }

                  @Override
                  public void denied(TranslationChange attempt) {
                    ChangeRecord copy = new ChangeRecord(FORMAT);
                    copy.copyFrom(attempt);
                    attempts.add(copy);
                  }

                  @Override
                  public void changed(TranslationChange change) {
                    collect(change);
                  }
                });
    guest.run();
    return watch;
  }

  private static Map<Long, Long> rules(long mask, long... entries) {
    Map<Long, Long> rules = new TreeMap<>();
    for (long entry : entries) {
      rules.put(entry, mask);
    }
    return rules;
  }

  @Test
  void everyEntryOfThePathHasARule() {
    deny(Bits.RW);
    assertEquals(rules(EntryFormat.RW, at(4, ROOT), at(3, T3), at(2, T2), at(1, T1)), guest.rules);
    assertTrue(writes.settled());
  }

  @Test
  void pageSizeMeansNothingAtTheLowestLevel() {
    deny(Bits.PS);
    assertEquals(rules(EntryFormat.PS, at(4, ROOT), at(3, T3), at(2, T2)), guest.rules);
  }

  @Test
  void rulesFollowATableThatIsReplacedAndEndWithTheWatch() {
    guest.poke(at(1, U1), PAGE | LINK);
    Watch watch = deny(Bits.RW);
    store(at(2, T2), U1 | LINK);
    assertEquals(rules(EntryFormat.RW, at(4, ROOT), at(3, T3), at(2, T2), at(1, U1)), guest.rules);
    assertEquals(0, guest.protections(T1));
    watch.close();
    guest.run();
    assertEquals(Map.of(), guest.rules);
    assertEquals(Map.of(), guest.protections());
    assertTrue(writes.settled());
  }

  @Test
  void aDeniedWriteIsToldAndNobodyIsAsked() {
    deny(Bits.RW);
    FakeGuest.Store store = store(at(2, T2), T1 | NO_WRITE);
    assertEquals(PageTableWrites.DENY | PageTableWrites.RELEVANT, store.verdict);
    assertEquals(T1 | LINK, guest.get(at(2, T2)));
    assertEquals(0, asked);
    assertEquals(List.of(), told());
    ChangeRecord attempt = attempts.get(0);
    assertEquals(How.DENIED, attempt.how());
    assertEquals(Cause.UNCHANGED, attempt.cause());
    assertEquals(2, attempt.level());
    assertEquals(T1 | LINK, attempt.oldEntry());
    assertEquals(T1 | NO_WRITE, attempt.newEntry());
    assertEquals(PAGE >>> 12, attempt.oldFrame());
    assertEquals(PAGE >>> 12, attempt.newFrame());
    assertEquals(4096, attempt.newPageSize());
    assertEquals(store.sequence, attempt.sequence());
    assertEquals(FakeGuest.RIP, attempt.instruction());
    assertTrue(attempt.toString().endsWith(", denied)"), attempt.toString());
  }

  @Test
  void otherBitsMayChangeAndAreAskedAbout() {
    deny(Bits.RW);
    assertEquals(PageTableWrites.RELEVANT, judged(Bits.FRAME));
    assertEquals(0, store(at(1, T1), OTHER | LINK | EntryFormat.A).verdict);
    assertEquals(List.of(), attempts);
  }

  /** A second watch, which looks at the bits that may change. */
  private int judged(Bits bits) {
    watch(ROOT, VA, bits);
    return store(at(1, T1), OTHER | LINK).verdict;
  }

  @Test
  void aLateDenialIsAnAlarmAndMemoryIsKnown() {
    deny(Bits.RW);
    FakeGuest.Store step = guest.beginStep(at(1, T1), OTHER | NO_WRITE);
    guest.endStep(step);
    guest.run();
    assertEquals(OTHER | LINK, guest.get(at(1, T1)));
    ChangeRecord attempt = attempts.get(0);
    assertEquals(How.LATE_DENIED, attempt.how());
    assertEquals(OTHER | LINK, attempt.oldEntry());
    assertEquals(OTHER | NO_WRITE, attempt.newEntry());
    assertEquals(1, writes.counters().get(WriteCounters.LATE_DENIED));
    assertEquals(0, writes.counters().get(WriteCounters.RESYNCS));
    assertEquals(OTHER | LINK, knownAt(1, T1));
    assertTrue(attempt.toString().endsWith(", late denied)"), attempt.toString());
  }

  /** The value that Java takes the entry to have: what a watch reads of it must not differ. */
  private long knownAt(int level, long table) {
    store(at(level, table), OTHER | LINK | 1L << 52);
    assertEquals(0, writes.counters().get(WriteCounters.RESYNCS));
    return guest.get(at(level, table)) & ~(1L << 52);
  }

  @Test
  void whatElseALateDeniedWriteChangedIsTold() {
    deny(Bits.RW);
    watch(ROOT, VA, Bits.FRAME);
    FakeGuest.Store step = guest.beginStep(at(1, T1), OTHER | NO_WRITE);
    guest.endStep(step);
    guest.run();
    assertEquals(List.of("REMAPPED@1 55->66"), told());
  }

  @Test
  void whatIsPutBackIsKnownWithoutAnotherOutcome() {
    deny(Bits.RW);
    watch(ROOT, VA, Bits.FRAME);
    FakeGuest.Store step = guest.beginStep(at(1, T1), OTHER | NO_WRITE);
    guest.putBack(step, OTHER | NO_WRITE, OTHER | LINK);
    guest.run();
    assertEquals(List.of("REMAPPED@1 55->66"), told());
    assertEquals(OTHER | LINK, knownAt(1, T1));
  }

  @Test
  void theUnionOfAllWatchesIsDenied() {
    Watch first = deny(Bits.RW);
    Watch second = deny(Bits.NX.with(Bits.RW));
    assertEquals(EntryFormat.RW | EntryFormat.NX, guest.rules.get(at(1, T1)));
    first.close();
    guest.run();
    assertEquals(EntryFormat.RW | EntryFormat.NX, guest.rules.get(at(1, T1)));
    Watch third = deny(Bits.RW);
    second.close();
    guest.run();
    assertEquals(EntryFormat.RW, guest.rules.get(at(1, T1)));
    third.close();
    guest.run();
    assertEquals(Map.of(), guest.rules);
  }

  @Test
  void rulesWaitForRoom() {
    guest.commandRoom = 1;
    Watch watch = deny(Bits.RW);
    assertEquals(4, guest.rules.size());
    watch.close();
    writes.poll();
    assertFalse(writes.settled());
    guest.run();
    assertEquals(Map.of(), guest.rules);
    assertEquals(Map.of(), guest.protections());
  }

  @Test
  void anEntryThatIsWantedAgainBeforeItsRuleIsGoneKeepsIt() {
    Watch watch = deny(Bits.RW);
    guest.commandRoom = 0;
    watch.close();
    writes.poll();
    Watch again = watchAgain();
    guest.commandRoom = 256;
    guest.run();
    assertEquals(rules(EntryFormat.RW, at(4, ROOT), at(3, T3), at(2, T2), at(1, T1)), guest.rules);
    assertTrue(again.inForce());
    again.close();
    guest.run();
    assertEquals(Map.of(), guest.rules);
    assertEquals(Map.of(), guest.protections());
  }

  private Watch watchAgain() {
    Watch again = writes.watches().deny(ROOT, VA, Bits.RW, change -> {});
    writes.poll();
    return again;
  }

  @Test
  void refusedRulesAreCounted() {
    guest.ruleRoom = 3;
    deny(Bits.RW);
    assertEquals(1, writes.counters().get(WriteCounters.RULES_REFUSED));
    assertNotEquals(0, store(at(1, T1), PAGE | NO_WRITE).verdict & PageTableWrites.DENY);
  }

  @Test
  void aWriteThatSparesTheDeniedEntryIsNotDenied() {
    deny(Bits.RW);
    guest.store(0, at(1, T1) - 8, 0xFF, OTHER | NO_WRITE);
    guest.run();
    assertEquals(OTHER | NO_WRITE, guest.get(at(1, T1) - 8));
    assertEquals(List.of(), attempts);
  }

  @Test
  void toDenyNothingIsNonsense() {
    assertThrows(
        IllegalArgumentException.class,
        () -> writes.watches().deny(ROOT, VA, Bits.P.without(Bits.P), change -> {}));
  }
}
