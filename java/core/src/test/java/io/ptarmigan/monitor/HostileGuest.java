// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import io.ptarmigan.abi.CommandLayout;
import io.ptarmigan.abi.CompletionLayout;
import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.StreamProducer;
import io.ptarmigan.x86.Tables;
import io.ptarmigan.x86.TextCase;
import java.util.List;
import java.util.Random;

/**
 * Records as the native side could publish them for a guest that does what it likes: real
 * instructions with registers, bytes and tables changed at will, outcomes of any kind, completions
 * with any data. Everything follows from a seed.
 */
final class HostileGuest {
  static final long ROOT = 0x1000;
  static final int VCPUS = 2;

  private static final List<Tables.Line> CASES = Tables.all();
  private static final int FRAMES = 12;
  private static final long PAGE_BYTES = 4096;
  private static final long RFLAGS = 0x3F7FD5;
  private static final int[] WINDOW_COUNTS = {8, 16, 24, 32};
  private static final int[] RESULTS = {1, 1, 1, 1, 2, 3, 3, 4, 5, 6, 6, 7};

  final StreamProducer producer = new StreamProducer();
  private final Random random;
  private long commandsDone;

  HostileGuest(long seed) {
    random = new Random(seed);
  }

  private boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  int vcpu() {
    return random.nextInt(VCPUS);
  }

  /** Publishes the next record; its sequence. */
  long next() {
    boolean commands = commandsDone < producer.commandsPublished();
    switch (random.nextInt(commands ? 4 : 3)) {
      case 0 -> outcome();
      case 3 -> completion();
      default -> exit();
    }
    return producer.publish();
  }

  /** Publishes a record of which nothing but its sequence can be relied on. */
  long nonsense() {
    switch (random.nextInt(3)) {
      case 0 -> outcome();
      case 1 -> producer.completion(random.nextLong(), random.nextInt(8), -random.nextInt(3), 0);
      default -> exit();
    }
    for (int words = random.nextInt(64); words > 0; words--) {
      producer.with(16 + Long.BYTES * random.nextInt(Native.PT_SLOT_BYTES / 8 - 2), word());
    }
    return producer.publish();
  }

  private long word() {
    return switch (random.nextInt(4)) {
      case 0 -> entry();
      case 1 -> random.nextInt(64);
      case 2 -> -1L << random.nextInt(64);
      default -> random.nextLong();
    };
  }

  /** Mostly links among a few frames: loops, self-maps, the same table at several levels. */
  private long entry() {
    long frame =
        oneIn(8) ? random.nextLong() & 0xF_FFFF_FFFF_F000L : PAGE_BYTES * random.nextInt(FRAMES);
    long flags = oneIn(3) ? random.nextInt(256) : 7;
    return frame | flags | (oneIn(4) ? Long.MIN_VALUE : 0);
  }

  private long gpa() {
    long page =
        oneIn(16) ? random.nextLong() & 0xFF_FFFF_F000L : PAGE_BYTES * random.nextInt(FRAMES);
    return page + (oneIn(2) ? 8 * random.nextInt(4) : random.nextInt((int) PAGE_BYTES));
  }

  private void exit() {
    TextCase basis = CASES.get(random.nextInt(CASES.size())).parseExit();
    long gla = basis.gla();
    long gpa = gpa() & -PAGE_BYTES | gla & (PAGE_BYTES - 1);
    producer
        .exit(vcpu())
        .with(ExitLayout.INSN, basis.instructionLow())
        .with(ExitLayout.INSN + 8, basis.instructionHigh())
        .with(ExitLayout.INSN_COUNT, basis.instructionCount())
        .with(ExitLayout.CODE_BITS, basis.codeBits())
        .with(ExitLayout.CPL, basis.cpl())
        .with(ExitLayout.GPA, gpa)
        .with(ExitLayout.GLA, gla)
        .with(ExitLayout.RIP, basis.rip())
        .with(ExitLayout.RFLAGS, basis.rflags())
        .with(ExitLayout.CR0, basis.cr0())
        .with(ExitLayout.CR3, ROOT)
        .with(ExitLayout.CR4, basis.cr4())
        .with(ExitLayout.EFER, basis.efer())
        .with(ExitLayout.DR7, basis.dr7())
        .with(ExitLayout.WINDOW_COUNT, windowCount(gpa));
    for (int i = 0; i < Native.PT_GPR_COUNT; i++) {
      producer.with(ExitLayout.GPR + 8 * i, basis.gpr(i));
    }
    for (int i = 0; i < Native.PT_SEGMENT_COUNT; i++) {
      producer.with(ExitLayout.SEGMENT_BASE + 8 * i, basis.segmentBase(i));
    }
    for (int i = 0; i < 4; i++) {
      producer.with(ExitLayout.WINDOW + 8 * i, oneIn(2) ? entry() : basis.window(i));
    }
    attach(basis);
    for (int changes = random.nextInt(4); changes > 0; changes--) {
      change(basis);
    }
  }

  private static int windowCount(long gpa) {
    return (int) Math.min(Native.PT_WINDOW_BYTES, PAGE_BYTES - (gpa & (PAGE_BYTES - 8)));
  }

  /** As if an earlier round had asked. */
  private void attach(TextCase basis) {
    if (oneIn(2)) {
      return;
    }
    producer
        .with(ExitLayout.ATTACHED, 1 + random.nextInt(3))
        .with(ExitLayout.ROUND, 1 + random.nextInt(7))
        .with(ExitLayout.SOURCE_COUNT, random.nextInt(Native.PT_SOURCE_BYTES + 1))
        .with(ExitLayout.SOURCE_ALIASED, random.nextInt(2))
        .with(ExitLayout.XMM_REGISTER, oneIn(4) ? Native.PT_XMM_NONE : random.nextInt(16));
    for (int i = 0; i < 4; i++) {
      producer.with(ExitLayout.SOURCE + 8 * i, basis.source(i));
    }
    producer.with(ExitLayout.XMM, word()).with(ExitLayout.XMM + 8, word());
  }

  /** What the guest, or another virtual CPU, can have made different. */
  private void change(TextCase basis) {
    switch (random.nextInt(10)) {
      case 0 -> producer.with(ExitLayout.GPR + 8 * random.nextInt(16), word());
      case 1 -> producer.with(ExitLayout.RIP, rip(basis.codeBits()));
      case 2 -> producer.with(ExitLayout.RFLAGS, 2 | word() & RFLAGS);
      case 3 -> producer.with(ExitLayout.INSN, basis.instructionLow() ^ 1L << random.nextInt(64));
      case 4 -> producer.with(ExitLayout.INSN_COUNT, 1 + random.nextInt(16));
      case 5 -> producer.with(ExitLayout.GLA, word());
      case 6 -> // what is partly done has got all that it asked for
          producer
              .with(ExitLayout.ATTACHED, Native.PT_MORE_SOURCE | Native.PT_MORE_XMM)
              .with(ExitLayout.DONE, random.nextInt());
      case 7 -> producer.with(ExitLayout.ACCESS, random.nextInt(16));
      case 8 -> producer.with(ExitLayout.SEGMENT_BASE + 8 * random.nextInt(6), word());
      default -> producer.with(ExitLayout.CR0 + 8 * random.nextInt(5), word());
    }
  }

  private long rip(int codeBits) {
    long rip = oneIn(2) ? -1L - random.nextInt(32) : random.nextLong();
    return codeBits == 64 ? rip : rip & 0xFFFF_FFFFL;
  }

  private void outcome() {
    long gpa = gpa() & -8;
    int room = WINDOW_COUNTS[random.nextInt(4)];
    int window = (int) Math.min(room, PAGE_BYTES - (gpa & (PAGE_BYTES - 1)));
    producer
        .outcome(vcpu(), 1 + random.nextInt(1000), RESULTS[random.nextInt(RESULTS.length)])
        .with(OutcomeLayout.CAUSE, random.nextInt(6))
        .with(OutcomeLayout.GPA, gpa)
        .with(OutcomeLayout.CR3, ROOT)
        .with(OutcomeLayout.MORE, random.nextInt(2))
        .with(OutcomeLayout.MASK, (int) ((1L << window) - 1) & (oneIn(2) ? random.nextInt() : -1));
    for (int i = 0; i < window / Long.BYTES; i++) {
      producer.with(OutcomeLayout.REPLACED + 8 * i, entry());
      producer.with(OutcomeLayout.BYTES + 8 * i, entry());
    }
  }

  /** The oldest command is answered; what the tables hold is made up here. */
  private void completion() {
    long index = ++commandsDone;
    int kind = producer.commandInt(index, CommandLayout.KIND);
    int status = oneIn(8) ? -2 : 0;
    long id = producer.commandLong(index, CommandLayout.ID);
    producer.completion(id, kind, status, producer.commandLong(index, CommandLayout.GPA));
    if (status == 0 && kind != Native.PT_COMMAND_RELEASE) {
      int length = producer.commandInt(index, CommandLayout.LENGTH);
      producer.with(CompletionLayout.LENGTH, length);
      for (int at = 0; at < length; at += Long.BYTES) {
        producer.with(CompletionLayout.DATA + at, entry());
      }
    }
    producer.commandsDone(index);
  }
}
