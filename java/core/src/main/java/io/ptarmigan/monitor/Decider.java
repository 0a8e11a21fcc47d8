// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import com.lmax.disruptor.EventHandler;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.CompletionRecord;
import io.ptarmigan.ring.DecisionWriter;
import io.ptarmigan.ring.ExitRecord;
import io.ptarmigan.ring.OutcomeRecord;
import io.ptarmigan.ring.StreamRecord;
import io.ptarmigan.watch.GuestPort;
import io.ptarmigan.watch.PageTableWrites;
import io.ptarmigan.x86.Effect;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.Result;

/**
 * Answers exits: emulate, judge, decide. Takes notice of a change of memory only when its outcome
 * comes. On one thread, which is the single writer of all state behind it; between an exit and its
 * decision there is no allocation, lock, log line or system call but the one that wakes a sleeping
 * native side.
 *
 * <p>What it cannot emulate with certainty the virtual CPU executes itself, in a single step.
 */
public final class Decider implements EventHandler<StreamRecord> {
  private static final int EXPLAINED = Native.PT_ACCESS_WRITE | Native.PT_ACCESS_GLA_VALID;
  private static final long PAGE_OFFSET = 0xFFF;

  private final Emulator emulator;
  private final PageTableWrites writes;
  private final DecisionWriter decisions;
  private final GuestPort commands;
  private final DeciderCounters counters;
  private final Effect effect = new Effect();

  public Decider(
      Emulator emulator,
      PageTableWrites writes,
      DecisionWriter decisions,
      GuestPort commands,
      DeciderCounters counters) {
    this.emulator = emulator;
    this.writes = writes;
    this.decisions = decisions;
    this.commands = commands;
    this.counters = counters;
  }

  @Override
  public void onEvent(StreamRecord record, long sequence, boolean endOfBatch) {
    switch (record.kind()) {
      case Native.PT_RECORD_EXIT -> decide(record.exit(), record.vcpu(), sequence);
      case Native.PT_RECORD_OUTCOME -> takeNotice(record.outcome());
      case Native.PT_RECORD_COMPLETION -> complete(record.completion());
      case Native.PT_RECORD_GAP -> writes.missed();
      default -> throw new IllegalStateException("record of an unknown kind");
    }
    if (endOfBatch) {
      writes.poll(); // a stream that never runs empty must not keep watches waiting
    }
  }

  private void decide(ExitRecord exit, int vcpu, long sequence) {
    long seen = System.nanoTime();
    counters.countExit();
    if (!explained(exit)) {
      counters.countUnexplained();
      decisions.decide(vcpu, sequence, Native.PT_ACTION_STEP, seen);
      return;
    }
    Result result = emulator.emulate(exit, effect);
    counters.count(result);
    int needs = needs(result);
    boolean done = result == Result.WRITE && effect.stores > 0; // else it explains no exit
    if ((done || needs != 0) && effect.interruptLike) {
      counters.countInterruptLike();
      decisions.decide(vcpu, sequence, Native.PT_ACTION_STEP, seen);
    } else if (done) {
      judge(exit, vcpu, sequence, seen);
    } else if (needs != 0 && (exit.attached() & needs) == 0) {
      decisions.more(vcpu, sequence, needs, effect, seen);
    } else { // also where what was asked for could not be had
      decisions.decide(vcpu, sequence, Native.PT_ACTION_STEP, seen);
    }
  }

  /** What the record lacks and can be asked for, as {@code PT_MORE_*}. */
  private static int needs(Result result) {
    return switch (result) {
      case NEEDS_SOURCE -> Native.PT_MORE_SOURCE;
      case NEEDS_XMM -> Native.PT_MORE_XMM;
      default -> 0;
    };
  }

  /** A write whose linear and physical address agree; the emulator compares the instruction's. */
  private static boolean explained(ExitRecord exit) {
    return (exit.access() & EXPLAINED) == EXPLAINED
        && ((exit.gla() ^ exit.gpa()) & PAGE_OFFSET) == 0;
  }

  private void judge(ExitRecord exit, int vcpu, long sequence, long seen) {
    int verdict = writes.judge(sequence, vcpu, exit.gpa(), exit, effect);
    int action =
        (verdict & PageTableWrites.DENY) != 0 ? Native.PT_ACTION_SKIP : Native.PT_ACTION_WRITE;
    int flags = (verdict & PageTableWrites.RELEVANT) != 0 ? Native.PT_DECISION_RELEVANT : 0;
    if (effect.wide) {
      flags |= Native.PT_DECISION_WIDE;
    }
    decisions.decide(vcpu, sequence, action, effect, flags, seen);
  }

  private void takeNotice(OutcomeRecord outcome) {
    switch (outcome.result()) {
      // A lost swap may have left the first entries of its write in memory: its mask tells which.
      case Native.PT_RESULT_APPLIED,
          Native.PT_RESULT_STEPPED,
          Native.PT_RESULT_HV_EMULATED,
          Native.PT_RESULT_LOST_SWAP -> {
        if (outcome.mask() != 0) {
          writes.applied(outcome);
        }
      }
      case Native.PT_RESULT_DENIED -> writes.denied(outcome);
      case Native.PT_RESULT_LATE_DENIED -> writes.lateDenied(outcome);
      default -> {
        // Resumed at the instruction: memory is as it was.
      }
    }
  }

  private void complete(CompletionRecord completion) {
    writes.completed(
        completion.command(),
        completion.kind(),
        completion.status(),
        completion.gpa(),
        completion.length(),
        completion);
    commands.flush();
  }
}
