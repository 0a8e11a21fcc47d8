// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import io.ptarmigan.abi.CommandLayout;
import io.ptarmigan.abi.CompletionLayout;
import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.StreamProducer;
import java.util.function.LongConsumer;

/**
 * The guest of a rehearsal, with the native side in front of it: a few kilobytes of memory, one
 * virtual CPU. Each record goes to the decider as soon as it is published.
 */
final class RehearsalGuest {
  /** Page-table entry flags: present, writable, user. */
  static final long FLAGS = 7;

  private static final int MEMORY_BYTES = 0x6000;
  private static final long LINEAR = 0xFFFF_8880_0000_0000L;
  private static final int RDI = 7;
  private static final int WINDOW_ENTRIES = Native.PT_WINDOW_BYTES / Long.BYTES;

  private final StreamProducer producer;
  private final LongConsumer decider;
  private final long[] memory = new long[MEMORY_BYTES / Long.BYTES];
  private long commandsDone;

  /**
   * A guest whose memory is zero.
   *
   * @param decider is given the sequence of each record
   */
  RehearsalGuest(StreamProducer producer, LongConsumer decider) {
    this.producer = producer;
    this.decider = decider;
  }

  void set(long gpa, long value) {
    memory[(int) gpa / Long.BYTES] = value;
  }

  /** Carries out the commands that wait. */
  void serve() {
    while (commandsDone < producer.commandsPublished()) {
      long index = ++commandsDone;
      long gpa = producer.commandLong(index, CommandLayout.GPA);
      int length = producer.commandInt(index, CommandLayout.LENGTH);
      producer
          .completion(
              producer.commandLong(index, CommandLayout.ID),
              producer.commandInt(index, CommandLayout.KIND),
              0,
              gpa)
          .with(CompletionLayout.LENGTH, length);
      for (int at = 0; at < length; at += Long.BYTES) {
        producer.with(CompletionLayout.DATA + at, memory[((int) gpa + at) / Long.BYTES]);
      }
      decider.accept(producer.publish());
      producer.commandsDone(index);
    }
  }

  /**
   * One exit of an instruction that stores to {@code [rdi]}, its decision and its outcome.
   *
   * @param instruction its bytes, byte 0 lowest
   * @param gpa where rdi points, a multiple of 8
   * @param rax mostly what is stored
   * @param result of the outcome where the decision is to write
   */
  void store(long instruction, long gpa, long rax, int result) {
    long sequence = raise(instruction, gpa, rax, 0);
    if (producer.decisionInt(0, DecisionLayout.ACTION) == Native.PT_ACTION_MORE) {
      int needs = producer.decisionInt(0, DecisionLayout.NEEDS);
      sequence = raise(instruction, gpa, rax, needs);
    }
    carryOut(sequence, gpa, result);
  }

  /** One publication and its decision; {@code rax} stands for whatever is attached, too. */
  private long raise(long instruction, long gpa, long rax, int attached) {
    int first = (int) gpa / Long.BYTES;
    producer
        .exit(0)
        .with(ExitLayout.INSN, instruction)
        .with(ExitLayout.GPA, gpa)
        .with(ExitLayout.GLA, LINEAR + gpa)
        .with(ExitLayout.RFLAGS, 2L)
        .with(ExitLayout.RIP, LINEAR)
        .with(ExitLayout.GPR, rax)
        .with(ExitLayout.GPR + Long.BYTES, 1L + (rax >>> 12 & 1))
        .with(ExitLayout.GPR + RDI * Long.BYTES, LINEAR + gpa)
        .with(ExitLayout.ATTACHED, attached)
        .with(ExitLayout.SOURCE_COUNT, Long.BYTES)
        .with(ExitLayout.SOURCE, rax)
        .with(ExitLayout.XMM, rax);
    for (int i = 0; i < WINDOW_ENTRIES; i++) {
      producer.with(ExitLayout.WINDOW + i * Long.BYTES, memory[first + i]);
    }
    long sequence = producer.publish();
    decider.accept(sequence);
    return sequence;
  }

  private void carryOut(long sequence, long gpa, int result) {
    int first = (int) gpa / Long.BYTES;
    int mask = producer.decisionInt(0, DecisionLayout.MASK);
    int told =
        switch (producer.decisionInt(0, DecisionLayout.ACTION)) {
          case Native.PT_ACTION_WRITE -> result;
          case Native.PT_ACTION_SKIP -> Native.PT_RESULT_DENIED;
          default -> Native.PT_RESULT_STEPPED;
        };
    producer
        .outcome(0, sequence, told)
        .with(OutcomeLayout.GPA, gpa)
        .with(OutcomeLayout.MASK, writes(told) || denies(told) ? mask : 0);
    for (int i = 0; i < WINDOW_ENTRIES; i++) {
      boolean touched = (mask >>> i * Long.BYTES & 0xFF) != 0;
      long decided = producer.decisionLong(0, DecisionLayout.BYTES + i * Long.BYTES);
      producer.with(OutcomeLayout.REPLACED + i * Long.BYTES, memory[first + i]);
      if (writes(told) && touched) {
        memory[first + i] = decided;
      }
      producer.with(
          OutcomeLayout.BYTES + i * Long.BYTES, denies(told) ? decided : memory[first + i]);
    }
    decider.accept(producer.publish());
  }

  private static boolean writes(int result) {
    return result == Native.PT_RESULT_APPLIED;
  }

  private static boolean denies(int result) {
    return result == Native.PT_RESULT_DENIED;
  }

  /** The outcome of a store that was executed unjudged, and whose entry was put back. */
  void putBack(long gpa, long attempted) {
    producer
        .outcome(0, 0, Native.PT_RESULT_LATE_DENIED)
        .with(OutcomeLayout.GPA, gpa)
        .with(OutcomeLayout.MASK, 0xFF)
        .with(OutcomeLayout.REPLACED, attempted)
        .with(OutcomeLayout.BYTES, memory[(int) gpa / Long.BYTES]);
    decider.accept(producer.publish());
  }
}
