// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.lmax.disruptor.EventHandler;
import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.api.Bits;
import io.ptarmigan.api.Monitor;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.monitor.FakeGuest;
import io.ptarmigan.monitor.GuestMonitor;
import io.ptarmigan.monitor.GuestMonitorBuilder;
import io.ptarmigan.policy.WatchRule;
import io.ptarmigan.policy.WritePolicy;
import io.ptarmigan.recording.Recorder;
import io.ptarmigan.recording.Recorders;
import io.ptarmigan.ring.DeciderLog;
import io.ptarmigan.ring.StreamRecord;
import io.ptarmigan.watch.WriteCounters;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The decider and the handlers behind it allocate nothing once the JVM is warm. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SteadyStateAllocationTest {
  private static final int EXITS = (int) AllocationMeter.FIRST_EXIT + 100_000;
  private static final int SAMPLE_EVERY = 500;
  private static final long ROOT = 0x1000;
  private static final long FLAGS = 7;
  private static final long WATCHED = 0x4000;
  private static final long DENIED = 0x4008;
  private static final long KEPT = 0x4010;
  private static final long KEY = 1L << 59;
  private static final long UNWATCHED = 0x4100;
  private static final long LINK = 0x3000;

  private final FakeGuest guest = new FakeGuest();
  private long told;
  private long denied;
  private long stepped;

  private double bytesPerExit(EventHandler<StreamRecord> extra) {
    return bytesPerExit(extra, null);
  }

  private double bytesPerExit(EventHandler<StreamRecord> extra, DeciderLog log) {
    guest.store(ROOT, 0x2000 | FLAGS);
    guest.store(0x2000, LINK | FLAGS);
    guest.store(LINK, 0x4000 | FLAGS);
    guest.store(WATCHED, 0xA000 | FLAGS);
    GuestMonitorBuilder builder =
        new GuestMonitorBuilder(
                guest.producer.stream(), guest.producer.decisions(), guest.producer.wake())
            .emulator(new Emulator(new PlanCache(new IcedDecoder(), 1024)))
            .follower("latencies", new LatencyHandler())
            .follower("extra", extra)
            .log(log)
            .plugin(this::watch);
    try (GuestMonitor monitor = builder.build()) {
      monitor.start();
      guest.serveUntilReady();
      AllocationMeter meter = new AllocationMeter(monitor.handlerThreads());
      for (int i = 0; i < EXITS; i++) {
        exit(i);
        if (i % SAMPLE_EVERY == 0) {
          meter.sample(i);
        }
      }
      guest.producer.state(Native.PT_STATE_ENDED);
      while (!monitor.drained()) {
        Thread.onSpinWait();
      }
      meter.sample(EXITS);
      assertEquals(0, monitor.deciderCounters().failures());
      assertEquals(0, monitor.followerFailures());
      assertTrue(monitor.writeCounters().get(WriteCounters.CHANGES) > EXITS / 20);
      assertTrue(denied > EXITS / 10 && stepped > EXITS / 20);
      return meter.bytesPerExit().orElseThrow();
    }
  }

  private void watch(Monitor monitor) {
    new WatchRule(ROOT, 0, Bits.DEFAULT, WritePolicy.ALLOW).place(monitor.watches(), this::told);
    new WatchRule(ROOT, 0x1000, Bits.DEFAULT, SteadyStateAllocationTest::keepEntry)
        .place(monitor.watches(), this::told);
    monitor.watches().deny(ROOT, 0x2000, Bits.PKEY, this::told);
  }

  private static Verdict keepEntry(TranslationChange proposed) {
    return proposed.level() == 1 ? Verdict.DENY : Verdict.ALLOW;
  }

  private void told(TranslationChange change) {
    told += change.sequence();
  }

  private void exit(int i) {
    int vcpu = i & 1;
    switch (i % 8) {
      case 0 -> run(vcpu, FakeGuest.MOV, WATCHED, 0xA000L + ((long) (i & 0xF0) << 12) | FLAGS);
      case 1 -> run(vcpu, FakeGuest.MOV, DENIED, 0xB000L + ((long) (i & 0xFF) << 12) | FLAGS);
      case 2 -> run(vcpu, FakeGuest.FXSAVE, UNWATCHED, 0);
      case 3 -> loseSwapThenRun(vcpu, UNWATCHED, i);
      case 4 -> replaceTable(vcpu, i);
      case 5 -> askThenRun(vcpu, (i & 8) == 0 ? FakeGuest.MOVS : FakeGuest.MOVUPS, i);
      case 6 -> run(vcpu, FakeGuest.MOV, KEPT, (i & 8) != 0 ? KEY : 0);
      default -> run(vcpu, FakeGuest.MOV, UNWATCHED + 8 * (i & 7), i);
    }
  }

  private void run(int vcpu, long instruction, long gpa, long value) {
    int result = guest.carryOut(vcpu, guest.raise(vcpu, instruction, gpa, value), gpa);
    denied += result == Native.PT_RESULT_DENIED ? 1 : 0;
    stepped += result == Native.PT_RESULT_STEPPED ? 1 : 0;
  }

  private void loseSwapThenRun(int vcpu, long gpa, long value) {
    long sequence = guest.raise(vcpu, FakeGuest.MOV, gpa, value);
    guest.producer.awaitDecision(vcpu, sequence);
    guest
        .producer
        .outcome(vcpu, sequence, Native.PT_RESULT_LOST_SWAP)
        .with(OutcomeLayout.GPA, gpa & -8)
        .publish();
    run(vcpu, FakeGuest.MOV, gpa, value);
  }

  private void askThenRun(int vcpu, long instruction, long value) {
    guest.producer.awaitDecision(vcpu, guest.raise(vcpu, instruction, UNWATCHED, 0));
    assertEquals(Native.PT_ACTION_MORE, guest.producer.decisionInt(vcpu, DecisionLayout.ACTION));
    long again = guest.raiseWithMore(vcpu, instruction, UNWATCHED, value);
    assertEquals(Native.PT_RESULT_APPLIED, guest.carryOut(vcpu, again, UNWATCHED));
    assertEquals(value, guest.load(UNWATCHED));
  }

  /** Unlinks and links the last table: watches let go of it, then protect and read it again. */
  private void replaceTable(int vcpu, int i) {
    run(vcpu, FakeGuest.MOV, LINK, (i & 8) == 0 ? 0 : 0x4000 | FLAGS);
    guest.producer.awaitConsumed();
    guest.serve();
  }

  @Test
  void nothingIsAllocated() {
    assertEquals(0.0, bytesPerExit((record, sequence, endOfBatch) -> {}));
  }

  @Test
  void nothingIsAllocatedWhileRecording() throws IOException {
    DeciderLog log = new DeciderLog();
    try (Recorder recorder = Recorders.toNowhere(log)) {
      assertEquals(0.0, bytesPerExit(recorder, log));
      assertTrue(recorder.bytes() > 100L * EXITS, recorder.bytes() + " bytes recorded");
    }
  }

  /**
   * An object of 16 bytes, once, well after the warm-up: there are more than two records per exit.
   * It does not count records, of which a slow follower loses some.
   */
  private static final class Spender implements EventHandler<StreamRecord> {
    private Object spent;

    @Override
    public void onEvent(StreamRecord record, long sequence, boolean endOfBatch) {
      if (spent == null && sequence > 2L * EXITS) {
        spent = new Object();
      }
    }
  }

  @Test
  void sixteenBytesOnceAreSeen() {
    Spender spender = new Spender();
    double bytes = bytesPerExit(spender);
    assertTrue(spender.spent != null);
    assertTrue(bytes > 0, "16 bytes went unseen");
    assertTrue(bytes < 1, bytes + " bytes per exit");
  }
}
