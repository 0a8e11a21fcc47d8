// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import static io.ptarmigan.monitor.RehearsalGuest.FLAGS;

import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.PagingMode;
import io.ptarmigan.policy.WatchRule;
import io.ptarmigan.policy.WritePolicy;
import io.ptarmigan.ring.CommandWriter;
import io.ptarmigan.ring.DecisionWriter;
import io.ptarmigan.ring.StreamProducer;
import io.ptarmigan.ring.StreamProvider;
import io.ptarmigan.watch.PageTableWrites;
import io.ptarmigan.watch.WriteCounters;
import io.ptarmigan.x86.Emulator;

/**
 * Runs the decider's path over a private stream until the JVM has loaded and compiled it. Without
 * that the first exits of a guest would be interpreted, and miss their deadline; and what the JVM
 * itself allocates when it loads a class or has one compiled would be the decider's.
 */
public final class Rehearsal {
  private static final int MAXPHYADDR = 40;
  private static final long ROOT = 0x1000;
  private static final long TABLE_3 = 0x2000;
  private static final long TABLE_2 = 0x3000;
  private static final long TABLE_1 = 0x4000;
  private static final long WATCHED = 0;
  private static final long DENIED = 0x1000;
  private static final long DENIED_ENTRY = TABLE_1 + 8;
  private static final long KEPT = 0x2000;
  private static final long KEPT_ENTRY = TABLE_1 + 16;
  private static final long KEY = 1L << 59;
  private static final long FRAME = 0xA000;
  private static final long MOV = 0x078948L; // mov [rdi], rax

  /** Instruction bytes, byte 0 lowest. */
  private static final long[] INSTRUCTIONS = {
    MOV,
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
    0xA548L, // movsq: asks for its source
    0x07D60F66L, // movq [rdi], xmm0: asks for the register
    0x07AE0FL // fxsave [rdi]: stepped
  };

  private final StreamProducer producer = new StreamProducer();
  private final StreamProvider provider = new StreamProvider(producer.stream());
  private final DeciderCounters counters = new DeciderCounters();
  private final RehearsalGuest guest = new RehearsalGuest(producer, this::take);
  private final ChangeRing changes;
  private final PageTableWrites writes;
  private final Decider decider;

  private Rehearsal(Emulator emulator) {
    var wake = producer.wake();
    var commands = new CommandWriter(producer.stream(), producer.decisions(), wake);
    var format = new EntryFormat(PagingMode.FOUR_LEVEL, MAXPHYADDR);
    changes = new ChangeRing(format, new FailureCounter());
    writes = new PageTableWrites(format, commands, changes, () -> {});
    decider =
        new Decider(
            emulator, writes, new DecisionWriter(producer.decisions(), wake), commands, counters);
  }

  /**
   * Decides some exits on the calling thread.
   *
   * @param emulator to warm up; not in use by another thread
   * @param rounds of five exits: one on a watched entry, one that a listener denies, one that a
   *     rule denies, one that loses its swap, one that unlinks or links a table
   */
  public static Rehearsal run(Emulator emulator, int rounds) {
    Rehearsal rehearsal = new Rehearsal(emulator);
    rehearsal.watch();
    for (int i = 0; i < rounds; i++) {
      rehearsal.round(i);
    }
    return rehearsal;
  }

  DeciderCounters deciderCounters() {
    return counters;
  }

  WriteCounters writeCounters() {
    return writes.counters();
  }

  private void take(long sequence) {
    decider.onEvent(provider.get(sequence), sequence, true);
  }

  private void watch() {
    guest.set(ROOT, TABLE_3 | FLAGS);
    guest.set(TABLE_3, TABLE_2 | FLAGS);
    guest.set(TABLE_2, TABLE_1 | FLAGS);
    guest.set(TABLE_1, FRAME | FLAGS);
    guest.set(DENIED_ENTRY, FRAME | FLAGS);
    guest.set(KEPT_ENTRY, FRAME | FLAGS);
    new WatchRule(ROOT, WATCHED, Bits.DEFAULT, WritePolicy.ALLOW)
        .place(writes.watches(), change -> {});
    new WatchRule(ROOT, DENIED, Bits.DEFAULT, Rehearsal::keepEntry)
        .place(writes.watches(), change -> {});
    writes.watches().deny(ROOT, KEPT, Bits.PKEY, change -> {});
    writes.poll();
    guest.serve();
  }

  private static Verdict keepEntry(TranslationChange proposed) {
    return proposed.level() == 1 ? WritePolicy.DENY.judge(proposed) : Verdict.ALLOW;
  }

  private void round(int i) {
    long value = FRAME + ((long) i << 12) | FLAGS;
    guest.store(INSTRUCTIONS[i % INSTRUCTIONS.length], TABLE_1, value, Native.PT_RESULT_APPLIED);
    guest.store(MOV, DENIED_ENTRY, value, Native.PT_RESULT_APPLIED);
    long key = (i & 1) == 0 ? KEY : 0; // where the table is linked
    guest.store(MOV, KEPT_ENTRY, FRAME | FLAGS | key, Native.PT_RESULT_APPLIED);
    guest.putBack(KEPT_ENTRY, FRAME | FLAGS | KEY);
    guest.store(MOV, TABLE_1, value, Native.PT_RESULT_LOST_SWAP);
    long link = (i & 1) == 0 ? 0 : TABLE_1 | FLAGS;
    guest.store(MOV, TABLE_2, link, Native.PT_RESULT_APPLIED);
    guest.serve();
    writes.poll();
    changes.discard();
  }
}
