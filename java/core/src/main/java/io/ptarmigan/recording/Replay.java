// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.monitor.Decider;
import io.ptarmigan.monitor.DeciderCounters;
import io.ptarmigan.monitor.DeciderFallback;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.PagingMode;
import io.ptarmigan.ring.DecisionWriter;
import io.ptarmigan.ring.StreamProducer;
import io.ptarmigan.ring.StreamProvider;
import io.ptarmigan.watch.ChangeRecord;
import io.ptarmigan.watch.Notebook;
import io.ptarmigan.watch.PageTableWrites;
import io.ptarmigan.watch.PlacingLog;
import io.ptarmigan.x86.Emulator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Decides the exits of a recording once more: the decider of a live monitor, over a stream in plain
 * memory, with watches taken over when they were, and compares with what was decided then.
 *
 * <p>After a gap the watches' state is no longer that of the recorded run, so that from there on
 * decisions are compared but for what depends on watches, and commands not at all.
 */
public final class Replay {
  private final RecordingReader recording;
  private final MomentReader moments;
  private final ReplayWatches watches;
  private final StreamProducer memory = new StreamProducer();
  private final StreamProvider provider = new StreamProvider(memory.stream());
  private final ReplayPort port = new ReplayPort();
  private final DeciderCounters counters = new DeciderCounters();
  private final Notebook notebook = Notebook.none();
  private final PageTableWrites writes;
  private final Decider decider;
  private final DeciderFallback fallback;
  private final DecisionComparison comparison = new DecisionComparison();
  private final ByteBuffer replayed =
      ByteBuffer.allocateDirect(DecisionLayout.SIZE).order(ByteOrder.LITTLE_ENDIAN);
  private final boolean[] unknownBefore = new boolean[Native.PT_MAX_VCPUS];
  private final ReplayReport report = new ReplayReport();
  private boolean afterGap;

  /**
   * A replay of a recording that was opened and not read from.
   *
   * @param watches plug-ins have been started with it, if any are to be asked
   */
  public Replay(RecordingReader recording, Emulator emulator, ReplayWatches watches) {
    this.recording = recording;
    this.watches = watches;
    moments = new MomentReader(recording);
    EntryFormat format = new EntryFormat(PagingMode.FOUR_LEVEL, recording.header().maxphyaddr());
    writes =
        new PageTableWrites(
            format,
            port,
            notebook,
            change -> ((ChangeRecord) change).deliver(),
            () -> {},
            PlacingLog.NONE);
    DecisionWriter decisions = new DecisionWriter(memory.decisions(), memory.wake());
    decider = new Decider(emulator, writes, decisions, port, counters);
    fallback = new DeciderFallback(new StreamProvider(memory.stream()), decisions, counters);
  }

  /** Replays what of the recording is intact. Once. */
  public ReplayReport run() throws IOException {
    long begin = System.nanoTime();
    try {
      for (Moment moment = moments.next(); moment != null; moment = moments.next()) {
        play(moment);
      }
      report.damage = moments.damage();
    } catch (DamagedRecordingException e) {
      report.damage = e;
    }
    report.nanos = System.nanoTime() - begin;
    report.gaps = moments.gaps();
    report.recordsLost = moments.recordsLost();
    report.failures = counters.failures();
    report.watchesNotRecorded = watches.notRecorded();
    report.intactBytes = recording.intactBytes();
    return report;
  }

  private void play(Moment moment) throws DamagedRecordingException {
    port.begin(moment);
    report.commands += moment.commands.size();
    if (moment.hasRecord) {
      report.records++;
      decide(moment);
      count(moment);
      compare(moment);
    }
    for (Moment.Placing placing : moment.placings) {
      if (placing.placed()) {
        notebook.recall(placing.cr3(), placing.address(), placing.bits(), placing.before());
      }
      watches.play(writes.watches(), placing);
      report.watches += placing.placed() ? 1 : 0;
      port.flush();
      writes.poll();
    }
    port.beginLastAttempt();
    port.flush();
    writes.poll();
    compareCommands(moment);
    if (moment.gap) {
      afterGap = true;
      Arrays.fill(unknownBefore, true);
    }
  }

  private void decide(Moment moment) {
    boolean denied = moment.hasDecision && moment.action() == Native.PT_ACTION_SKIP;
    watches.answer(denied ? Verdict.DENY : Verdict.ALLOW);
    if (moment.isExit()) {
      prepareSlot(moment);
    }
    memory.replay(moment.sequence, moment.record);
    try {
      decider.onEvent(provider.get(moment.sequence), moment.sequence, false);
    } catch (Throwable failure) {
      fallback.handleEventException(failure, moment.sequence, null);
    }
  }

  /** A slot keeps what its vCPU's next decision does not overwrite; after a gap that is unknown. */
  private void prepareSlot(Moment moment) {
    if (unknownBefore[moment.vcpu()] && moment.hasDecision) {
      unknownBefore[moment.vcpu()] = false;
      memory.setDecision(moment.vcpu(), moment.decision);
    }
  }

  private void count(Moment moment) {
    ByteBuffer record = moment.record;
    if (moment.isExit()) {
      report.exits++;
      report.retried += record.getInt(ExitLayout.ROUND) > 0 ? 1 : 0;
      report.undecided += moment.hasDecision ? 0 : 1;
    } else if (record.getInt(HeadLayout.KIND) == Native.PT_RECORD_OUTCOME
        && record.getInt(OutcomeLayout.RESULT) == Native.PT_RESULT_LOST_SWAP) {
      report.lostSwaps++;
    }
  }

  private void compare(Moment moment) {
    if (!moment.isExit() || !moment.hasDecision) {
      return;
    }
    report.compared++;
    report.unjudged += afterGap ? 1 : 0;
    report.denied += moment.action() == Native.PT_ACTION_SKIP ? 1 : 0;
    memory.copyDecision(moment.vcpu(), replayed);
    if (!comparison.same(moment.decision, replayed, !afterGap)) {
      report.differing++;
      if (report.firstParting.isEmpty()) {
        report.firstParting.addAll(ExitText.lines(moment.record));
        report.firstParting.addAll(comparison.table());
      }
    }
  }

  private void compareCommands(Moment moment) {
    String difference = port.difference();
    if (difference == null || afterGap || moment.gap) {
      return;
    }
    report.commandDifferences++;
    if (report.firstParting.isEmpty()) {
      report.firstParting.add("after record " + moment.sequence + ": " + difference);
    }
  }
}
