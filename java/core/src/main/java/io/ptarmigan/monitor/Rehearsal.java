// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import io.ptarmigan.abi.CommandLayout;
import io.ptarmigan.abi.CompletionLayout;
import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.PagingMode;
import io.ptarmigan.ring.CommandWriter;
import io.ptarmigan.ring.DecisionWriter;
import io.ptarmigan.ring.StreamProducer;
import io.ptarmigan.ring.StreamProvider;
import io.ptarmigan.watch.PageTableWrites;
import io.ptarmigan.watch.WriteCounters;
import io.ptarmigan.x86.Emulator;

/**
 * Runs the decider's path over a private stream until the JVM has compiled it. Without that the
 * first exits of a guest would be interpreted, and miss their deadline.
 */
public final class Rehearsal {
  private static final int MAXPHYADDR = 40;
  private static final long ROOT = 0x1000;
  private static final long LAST_TABLE = 0x4000;
  private static final long FRAME = 0xA000;
  private static final long FLAGS = 7;
  private static final long LINEAR = 0xFFFF_8880_0000_0000L;
  private static final int RDI = 7;

  /** Instruction bytes, byte 0 lowest, that store to [rdi]. */
  private static final long[] INSTRUCTIONS = {
    0x078948L, // mov [rdi], rax
    0x0789L, // mov [rdi], eax
    0x07C748L, // mov qword [rdi], 0
    0x07C30F48L, // movnti [rdi], rax
    0x078748L, // xchg [rdi], rax
    0x0FB10F48F0L, // lock cmpxchg [rdi], rcx
    0x0FC10F48F0L, // lock xadd [rdi], rcx
    0x052FBA0F48F0L, // lock bts qword [rdi], 5
    0xFD078348F0L, // lock add qword [rdi], -3
    0x270148L, // add [rdi], rsp
    0x072148L, // and [rdi], rax
    0x070948L, // or [rdi], rax
    0xAB48L, // stosq
    0xAB48F3L, // rep stosq
    0x07AE0FL // fxsave [rdi]: stepped
  };

  private final StreamProducer producer = new StreamProducer();
  private final StreamProvider provider = new StreamProvider(producer.stream());
  private final PageTableWrites writes;
  private final DeciderCounters counters = new DeciderCounters();
  private final Decider decider;
  private long entry = FRAME | FLAGS;

  private Rehearsal(Emulator emulator) {
    var wake = producer.wake();
    var commands = new CommandWriter(producer.stream(), producer.decisions(), wake);
    var format = new EntryFormat(PagingMode.FOUR_LEVEL, MAXPHYADDR);
    writes = new PageTableWrites(format, commands, change -> {}, () -> {});
    decider =
        new Decider(
            emulator, writes, new DecisionWriter(producer.decisions(), wake), commands, counters);
  }

  /**
   * Decides this many exits on the calling thread.
   *
   * @param emulator to warm up; not in use by another thread
   */
  public static Rehearsal run(Emulator emulator, int exits) {
    Rehearsal rehearsal = new Rehearsal(emulator);
    rehearsal.watch();
    for (int i = 0; i < exits; i++) {
      rehearsal.store(INSTRUCTIONS[i % INSTRUCTIONS.length], i);
    }
    return rehearsal;
  }

  DeciderCounters deciderCounters() {
    return counters;
  }

  WriteCounters writeCounters() {
    return writes.counters();
  }

  /** One address whose changes are told, or denied every now and then. */
  private void watch() {
    writes.watches().watch(ROOT, 0, Bits.DEFAULT, new Sometimes());
    writes.poll();
    for (long index = 1; index <= producer.commandsPublished(); index++) {
      long gpa = producer.commandLong(index, CommandLayout.GPA);
      producer
          .completion(
              producer.commandLong(index, CommandLayout.ID),
              producer.commandInt(index, CommandLayout.KIND),
              0,
              gpa)
          .with(CompletionLayout.LENGTH, producer.commandInt(index, CommandLayout.LENGTH))
          .with(CompletionLayout.DATA, gpa < LAST_TABLE ? gpa + 0x1000 | FLAGS : entry);
      take(producer.publish());
      producer.commandsDone(index);
    }
  }

  private static final class Sometimes implements TranslationListener {
    private int asked;

    @Override
    public Verdict before(TranslationChange proposed) {
      return (asked++ & 7) == 0 ? Verdict.DENY : Verdict.ALLOW;
    }

    @Override
    public void changed(TranslationChange change) {
      // Nobody is told of a rehearsal.
    }
  }

  /** An exit on the watched entry, its decision, its outcome. */
  private void store(long instruction, int round) {
    producer
        .exit(0)
        .with(ExitLayout.INSN, instruction)
        .with(ExitLayout.GPA, LAST_TABLE)
        .with(ExitLayout.GLA, LINEAR + LAST_TABLE)
        .with(ExitLayout.RFLAGS, 2L)
        .with(ExitLayout.RIP, LINEAR)
        .with(ExitLayout.GPR, FRAME + ((long) round << 12) | FLAGS)
        .with(ExitLayout.GPR + Long.BYTES, 1L + (round & 1))
        .with(ExitLayout.GPR + RDI * Long.BYTES, LINEAR + LAST_TABLE)
        .with(ExitLayout.WINDOW, entry);
    long sequence = producer.publish();
    take(sequence);
    boolean written = producer.decisionInt(0, DecisionLayout.ACTION) == Native.PT_ACTION_WRITE;
    long now = producer.decisionLong(0, DecisionLayout.BYTES);
    producer
        .outcome(0, sequence, written ? Native.PT_RESULT_APPLIED : Native.PT_RESULT_DENIED)
        .with(OutcomeLayout.GPA, LAST_TABLE)
        .with(OutcomeLayout.MASK, producer.decisionInt(0, DecisionLayout.MASK))
        .with(OutcomeLayout.REPLACED, entry)
        .with(OutcomeLayout.BYTES, now);
    take(producer.publish());
    if (written) {
      entry = now;
    }
  }

  private void take(long sequence) {
    decider.onEvent(provider.get(sequence), sequence, true);
  }
}
