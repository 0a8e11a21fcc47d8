// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.x86.Decoder;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import io.ptarmigan.x86.Result;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The whole Java side from exit to decision and from outcome to listener. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class GuestMonitorTest {
  private static final long ROOT = 0x1000;
  private static final long TABLE_3 = 0x2000;
  private static final long TABLE_2 = 0x3000;
  private static final long TABLE_1 = 0x4000;
  private static final long LINK = 0x7;
  private static final long PAGE = 0x8000_0000_0000_0000L | 0x7;
  private static final int PLANS = 64;

  private final FakeGuest guest = new FakeGuest();
  private GuestMonitor monitor;

  @AfterEach
  void stop() {
    monitor.close();
  }

  private GuestMonitorBuilder builder(Decoder decoder) {
    return new GuestMonitorBuilder(
            guest.producer.stream(), guest.producer.decisions(), guest.producer.wake())
        .emulator(new Emulator(new PlanCache(decoder, PLANS)));
  }

  private void start(GuestMonitorBuilder builder) {
    monitor = builder.build();
    monitor.start();
    guest.serveUntilReady();
  }

  private void start() {
    start(builder(new IcedDecoder()));
  }

  private void watch(TranslationListener listener) {
    guest.store(ROOT, TABLE_3 | LINK);
    guest.store(TABLE_3, TABLE_2 | LINK);
    guest.store(TABLE_2, TABLE_1 | LINK);
    guest.store(TABLE_1, 0xA000 | PAGE);
    GuestMonitorBuilder builder = builder(new IcedDecoder());
    start(builder.plugin(m -> m.watches().watch(ROOT, 0, Bits.DEFAULT, listener)));
  }

  private int action(int vcpu) {
    return guest.producer.decisionInt(vcpu, DecisionLayout.ACTION);
  }

  @Test
  void aPlainStoreIsWritten() {
    start();
    guest.store(0x5008, 0x1111);
    long sequence = guest.raise(1, FakeGuest.MOV, 0x5000, 0x1234_5678_9ABC_DEF0L);
    guest.producer.awaitDecision(1, sequence);
    assertEquals(Native.PT_ACTION_WRITE, action(1));
    assertEquals(0xFF, guest.producer.decisionInt(1, DecisionLayout.MASK));
    assertEquals(1, guest.producer.decisionInt(1, DecisionLayout.STORES));
    assertEquals(0, guest.producer.decisionInt(1, DecisionLayout.FLAGS));
    assertEquals(0, guest.producer.decisionLong(1, DecisionLayout.EXPECTED));
    assertEquals(0x1234_5678_9ABC_DEF0L, guest.producer.decisionLong(1, DecisionLayout.BYTES));
    assertEquals(0x1111, guest.producer.decisionLong(1, DecisionLayout.BYTES + 8));
    assertEquals(
        0xFFFF_8000_0000_1000L + FakeGuest.MOV_LENGTH,
        guest.producer.decisionLong(1, DecisionLayout.RIP));
  }

  @Test
  void whatCannotBeEmulatedIsStepped() {
    start();
    guest.producer.awaitDecision(0, guest.raise(0, FakeGuest.FXSAVE, 0x5000, 1));
    assertEquals(Native.PT_ACTION_STEP, action(0));
    assertEquals(1, monitor.deciderCounters().emulations(Result.UNSUPPORTED));
  }

  @Test
  void aPushLooksLikeAnInterruptAndIsStepped() {
    start();
    guest.producer.exit(0).with(ExitLayout.INSN, FakeGuest.PUSH);
    guest.producer.with(ExitLayout.GLA, 0x7FF8L).with(ExitLayout.GPA, 0x5FF8L);
    guest.producer.with(ExitLayout.GPR + 8 * 4, 0x8000L).with(ExitLayout.WINDOW_COUNT, 8);
    guest.producer.awaitDecision(0, guest.producer.publish());
    assertEquals(Native.PT_ACTION_STEP, action(0));
    assertEquals(1, monitor.deciderCounters().interruptLike());
  }

  @Test
  void aRepetitionThatStoresNothingExplainsNoExit() {
    start();
    guest.producer.awaitDecision(0, guest.raise(0, FakeGuest.REP_STOS, 0x5000, 1)); // rcx is 0
    assertEquals(Native.PT_ACTION_STEP, action(0));
  }

  @Test
  void aReadIsStepped() {
    start();
    guest.producer.exit(0).with(ExitLayout.INSN, FakeGuest.MOV);
    guest.producer.with(ExitLayout.ACCESS, Native.PT_ACCESS_READ | Native.PT_ACCESS_GLA_VALID);
    guest.producer.awaitDecision(0, guest.producer.publish());
    assertEquals(Native.PT_ACTION_STEP, action(0));
    assertEquals(1, monitor.deciderCounters().unexplained());
  }

  @Test
  void addressesThatDisagreeWithinThePageAreStepped() {
    start();
    guest.producer.exit(0).with(ExitLayout.INSN, FakeGuest.MOV);
    guest.producer.with(ExitLayout.GLA, 0x7008L).with(ExitLayout.GPA, 0x5010L);
    guest.producer.with(ExitLayout.GPR + 8 * FakeGuest.RDI, 0x7008L);
    guest.producer.awaitDecision(0, guest.producer.publish());
    assertEquals(Native.PT_ACTION_STEP, action(0));
    assertEquals(1, monitor.deciderCounters().unexplained());
  }

  @Test
  void aFailureBecomesAStepAndTheThreadGoesOn() {
    AtomicInteger calls = new AtomicInteger();
    IcedDecoder real = new IcedDecoder();
    start(
        builder(
            (bits, low, high, count) -> {
              if (calls.getAndIncrement() == 0) {
                throw new AssertionError("made to fail");
              }
              return real.decode(bits, low, high, count);
            }));
    guest.producer.awaitDecision(0, guest.raise(0, FakeGuest.MOV, 0x5000, 1));
    assertEquals(Native.PT_ACTION_STEP, action(0));
    guest.producer.awaitDecision(0, guest.raise(0, FakeGuest.MOV, 0x5000, 1));
    assertEquals(Native.PT_ACTION_WRITE, action(0));
    assertEquals(1, monitor.deciderCounters().failures());
    assertEquals("made to fail", monitor.deciderCounters().lastFailure().getMessage());
    guest.producer.awaitConsumed();
  }

  @Test
  void anUnknownRecordIsAFailureAndNoMore() {
    start();
    guest.producer.exit(0).with(8, 99);
    guest.producer.publish();
    guest.producer.awaitDecision(0, guest.raise(0, FakeGuest.MOV, 0x5000, 1));
    assertEquals(Native.PT_ACTION_WRITE, action(0));
    assertEquals(1, monitor.deciderCounters().failures());
  }

  @Test
  void aNewGenerationBeginsAfterWhatWasConsumed() {
    for (int i = 0; i < 3; i++) {
      guest.raise(0, FakeGuest.MOV, 0x5000, 1);
    }
    guest.producer.consumed(2);
    start();
    guest.producer.awaitDecision(0, 3);
    assertEquals(1, monitor.deciderCounters().exits());
  }

  @Test
  void aWatchedChangeIsFlaggedAndToldOnlyWhenItHappened() throws Exception {
    List<String> told = new CopyOnWriteArrayList<>();
    watch(change -> told.add(change.cause() + " " + Long.toHexString(change.newFrame())));
    long sequence = guest.raise(0, FakeGuest.MOV, TABLE_1, 0xB000 | PAGE);
    guest.producer.awaitDecision(0, sequence);
    assertEquals(Native.PT_DECISION_RELEVANT, guest.producer.decisionInt(0, DecisionLayout.FLAGS));
    Thread.sleep(50);
    assertEquals(List.of(), told);
    assertEquals(Native.PT_RESULT_APPLIED, guest.carryOut(0, sequence, TABLE_1));
    while (told.isEmpty()) {
      Thread.sleep(1);
    }
    assertEquals(List.of("REMAPPED b"), told);
  }

  @Test
  void theHalfOfAWriteThatIsInMemoryIsToldThoughTheRestLostItsSwap() throws Exception {
    List<String> told = new CopyOnWriteArrayList<>();
    watch(change -> told.add(change.cause() + " " + Long.toHexString(change.newFrame())));
    long sequence = guest.raise(0, FakeGuest.MOV, TABLE_1, 0xB000 | PAGE);
    guest.producer.awaitDecision(0, sequence);
    guest
        .producer
        .outcome(0, sequence, Native.PT_RESULT_LOST_SWAP)
        .with(OutcomeLayout.GPA, TABLE_1)
        .with(OutcomeLayout.MASK, 0xFF)
        .with(OutcomeLayout.REPLACED, 0xA000 | PAGE)
        .with(OutcomeLayout.BYTES, 0xB000 | PAGE);
    guest.producer.publish();
    while (told.isEmpty()) {
      Thread.sleep(1);
    }
    assertEquals(List.of("REMAPPED b"), told);
  }

  @Test
  void aVetoIsASkip() {
    AtomicReference<TranslationChange.How> how = new AtomicReference<>();
    watch(
        new TranslationListener() {
          @Override
          public Verdict before(TranslationChange proposed) {
            how.set(proposed.how());
            return Verdict.DENY;
          }

          @Override
          public void changed(TranslationChange change) {
            how.set(change.how());
          }
        });
    long sequence = guest.raise(0, FakeGuest.MOV, TABLE_1, 0xB000 | PAGE);
    assertEquals(Native.PT_RESULT_DENIED, guest.carryOut(0, sequence, TABLE_1));
    assertEquals(0xA000 | PAGE, guest.load(TABLE_1));
    assertEquals(TranslationChange.How.PROPOSED, how.get());
  }

  @Test
  void aWatchPlacedLaterWakesASleepingDecider() throws Exception {
    start();
    Thread.sleep(50);
    var watch = monitor.watches().watch(ROOT, 0, Bits.DEFAULT, change -> {});
    while (!watch.inForce()) {
      guest.serve();
      Thread.onSpinWait();
    }
    assertTrue(guest.producer.commandsPublished() > 0);
  }

  @Test
  void drainsWhenTheStreamEnds() throws Exception {
    AtomicInteger outcomes = new AtomicInteger();
    start(
        builder(new IcedDecoder())
            .follower(
                "counting",
                (record, sequence, endOfBatch) -> {
                  if (record.kind() == Native.PT_RECORD_OUTCOME) {
                    outcomes.incrementAndGet();
                  }
                }));
    for (int i = 0; i < 2000; i++) {
      guest.carryOut(0, guest.raise(0, FakeGuest.MOV, 0x5000, i), 0x5000);
    }
    assertTrue(!monitor.drained());
    guest.producer.state(Native.PT_STATE_ENDED);
    while (!monitor.drained()) {
      Thread.sleep(1);
    }
    assertEquals(1999, guest.load(0x5000));
    // What the handler did not see, exits among it, was counted as lost.
    assertTrue(outcomes.get() <= 2000);
    assertTrue(outcomes.get() + monitor.recordsLost() >= 2000);
  }
}
