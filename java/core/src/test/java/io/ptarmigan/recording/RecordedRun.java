// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.api.Bits;
import io.ptarmigan.api.Monitor;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.api.Watch;
import io.ptarmigan.monitor.FakeGuest;
import io.ptarmigan.monitor.GuestMonitor;
import io.ptarmigan.monitor.GuestMonitorBuilder;
import io.ptarmigan.paging.Translation;
import io.ptarmigan.ring.DeciderLog;
import io.ptarmigan.watch.Notebook;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A monitored run with a recorder behind it: writes to watched, denied and other entries by two
 * virtual CPUs, lost swaps, stepped instructions, tables that go and come, watches that go and come
 * from another thread.
 */
final class RecordedRun {
  static final long ROOT = 0x1000;
  static final long FLAGS = 7;
  static final long WATCHED = 0x4000;
  static final long DENIED = 0x4008;
  static final long UNWATCHED = 0x4100;
  static final long LINK = 0x3000;
  static final long KEPT = 0x7000;
  static final long KEPT_ADDRESS = 1L << 39;
  static final long RECALLED = 0x7008;
  static final long RECALLED_ADDRESS = KEPT_ADDRESS + 0x1000;
  static final long WATCHED_ADDRESS = 0;
  static final long DENIED_ADDRESS = 0x1000;

  /** What the listener of the denied address says about its own entry. */
  interface Policy {
    Verdict judge(TranslationChange proposed);
  }

  final FakeGuest guest = new FakeGuest();
  private static final int MOST_BEHIND = Native.PT_SLOT_COUNT / 4;

  private final Deque<Watch> others = new ArrayDeque<>();
  long denied;
  long deniedByRule;
  long stepped;
  long lostSwaps;
  private volatile long recorded;

  RecordedRun() {
    guest.store(ROOT, 0x2000 | FLAGS);
    guest.store(0x2000, LINK | FLAGS);
    guest.store(LINK, 0x4000 | FLAGS);
    guest.store(WATCHED, 0xA000 | FLAGS);
    guest.store(ROOT + 8, 0x5000 | FLAGS);
    guest.store(0x5000, 0x6000 | FLAGS);
    guest.store(0x6000, KEPT | FLAGS);
    guest.store(KEPT, 0xC000 | FLAGS);
  }

  static Emulator emulator() {
    return new Emulator(new PlanCache(new IcedDecoder(), 1024));
  }

  /** Records so many rounds into a new file. */
  static RecordedRun into(Path file, int rounds) throws IOException {
    RecordedRun run = new RecordedRun();
    DeciderLog log = new DeciderLog();
    try (Recorder recorder =
            Recorder.create(
                file,
                run.guest.producer.stream(),
                run.guest.producer.decisions(),
                log,
                failure -> {
                  throw new AssertionError(failure);
                });
        GuestMonitor monitor = run.monitor(recorder, log)) {
      monitor.start();
      run.guest.serveUntilReady();
      for (int i = 0; i < rounds; i++) {
        run.round(monitor, i);
        run.awaitRecorder();
      }
      run.finish(monitor);
    }
    return run;
  }

  private GuestMonitor monitor(Recorder recorder, DeciderLog log) {
    return new GuestMonitorBuilder(
            guest.producer.stream(), guest.producer.decisions(), guest.producer.wake())
        .emulator(emulator())
        .log(log)
        .notebook(notebook())
        .follower(
            "recorder",
            (record, sequence, endOfBatch) -> {
              recorder.onEvent(record, sequence, endOfBatch);
              recorded = sequence;
            })
        .protect(0, 0x8000)
        .plugin(monitor -> watch(monitor, RecordedRun::keepEntry))
        .build();
  }

  /** An earlier JVM told of a frame that is not mapped when this one starts. */
  private static Notebook notebook() {
    Notebook notebook = Notebook.none();
    Translation told = new Translation();
    if (!told.restore(Translation.MAPPED, 0xE000 | FLAGS, 1)) {
      throw new AssertionError("no translation");
    }
    notebook.recall(ROOT, RECALLED_ADDRESS, Bits.FRAME.mask(), told);
    return notebook;
  }

  /** Places the watches that last; the third keeps its entries by rule. */
  static void watch(Monitor monitor, Policy policy) {
    monitor.watches().watch(ROOT, RECALLED_ADDRESS, Bits.FRAME, change -> {});
    monitor.watches().deny(ROOT, KEPT_ADDRESS, Bits.P.with(Bits.FRAME), change -> {});
    monitor.watches().watch(ROOT, WATCHED_ADDRESS, Bits.DEFAULT, change -> {});
    monitor
        .watches()
        .watch(
            ROOT,
            DENIED_ADDRESS,
            Bits.DEFAULT,
            new TranslationListener() {
              @Override
              public Verdict before(TranslationChange proposed) {
                return policy.judge(proposed);
              }

              @Override
              public void changed(TranslationChange change) {}
            });
  }

  static Verdict keepEntry(TranslationChange proposed) {
    return proposed.level() == 1 ? Verdict.DENY : Verdict.ALLOW;
  }

  private void round(GuestMonitor monitor, int i) {
    int vcpu = i & 1;
    switch (i % 8) {
      case 0 -> run(vcpu, FakeGuest.MOV, WATCHED, 0xA000L + ((long) (i & 0xF0) << 12) | FLAGS);
      case 1 -> run(vcpu, FakeGuest.MOV, DENIED, 0xB000L + ((long) (i & 0xFF) << 12) | FLAGS);
      case 2 -> run(vcpu, FakeGuest.FXSAVE, UNWATCHED, 0);
      case 3 -> loseSwapThenRun(vcpu, UNWATCHED, i);
      case 4 -> {
        replaceTable(vcpu, i);
        missWrites();
      }
      case 5 -> changeWatches(monitor, i);
      case 6 -> {
        long before = denied;
        run(vcpu, FakeGuest.MOV, KEPT, 0xD000L + ((long) (i & 0xFF) << 12) | FLAGS);
        deniedByRule += denied - before;
      }
      default -> run(vcpu, FakeGuest.MOV, RECALLED, (i & 8) == 0 ? 0xF000 | FLAGS : 0);
    }
  }

  /** This guest is faster than a real one, and the recording is to have no gap. */
  private void awaitRecorder() {
    while (guest.producer.cursor() - recorded > MOST_BEHIND) {
      Thread.onSpinWait();
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
    lostSwaps++;
    run(vcpu, FakeGuest.MOV, gpa, value);
  }

  private void replaceTable(int vcpu, int i) {
    run(vcpu, FakeGuest.MOV, LINK, (i & 8) == 0 ? 0 : 0x4000 | FLAGS);
    guest.producer.awaitConsumed();
    guest.serve();
  }

  /** The decider did not keep up: it reads all that it watches again. */
  private void missWrites() {
    guest.producer.gap().publish();
    guest.producer.awaitConsumed();
    guest.serve();
  }

  /** While exits go on, so that the decider takes the change over somewhere among them. */
  private void changeWatches(GuestMonitor monitor, int i) {
    long address = 0x20_0000L + ((long) (i >> 3 & 7) << 12);
    others.add(monitor.watches().watch(ROOT, address, Bits.DEFAULT, change -> {}));
    run(i & 1, FakeGuest.MOV, LINK + 8, i);
    if (others.size() > 3) {
      others.remove().close();
    }
    run(i & 1, FakeGuest.MOV, LINK + 8, 0);
    guest.serve();
  }

  private void finish(GuestMonitor monitor) {
    guest.producer.state(Native.PT_STATE_ENDED);
    while (!monitor.drained()) {
      Thread.onSpinWait();
    }
  }
}
