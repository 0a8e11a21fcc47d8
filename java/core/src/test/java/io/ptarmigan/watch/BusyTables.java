// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.PagingMode;
import io.ptarmigan.x86.Effect;

/**
 * Writes to four tables with 64 watches on them: changes, vetoes, tables that come and go, changes
 * behind the monitor's back. Memory, commands and outcome lie in arrays made beforehand, and the
 * class has no string constant, which the JVM would create at some moment of its own.
 */
final class BusyTables implements GuestPort, AppliedWrite, CompletionData, TranslationListener {
  private static final EntryFormat FORMAT = new EntryFormat(PagingMode.FOUR_LEVEL, 40);
  private static final long LINK = 7;
  private static final long ROOT = 0;
  private static final long DENIED = 0x999;

  final PageTableWrites writes = new PageTableWrites(FORMAT, this, this::take, () -> {});
  long told;
  long asked;
  private final long[] memory = new long[5 * 512];
  private final long[] queue = new long[1024];
  private final ChangeRecord copy = new ChangeRecord(FORMAT);
  private final FakeExit exit = new FakeExit(0x1234);
  private final Effect effect = new Effect();
  private long commands;
  private long answered;
  private long read;
  private long sequence;
  private long gpa;
  private long replaced;
  private long now;

  /** Tables 0 to 3 map 512 pages; table 4 is the other page table. */
  BusyTables() {
    set(0, 1 << 12 | LINK);
    set(1 << 12, 2 << 12 | LINK);
    set(2 << 12, 3 << 12 | LINK);
    for (int i = 0; i < 512; i++) {
      set(3 << 12 | i * 8, 100 + i << 12 | LINK);
      set(4 << 12 | i * 8, 700 + i << 12 | LINK);
    }
    for (int i = 0; i < 512; i += 8) {
      writes.watches().watch(ROOT, (long) i << 12, Bits.DEFAULT, this);
    }
    answerAll();
  }

  private void take(TranslationChange change) {
    copy.copyFrom(change);
    copy.deliver();
  }

  @Override
  public Verdict before(TranslationChange proposed) {
    asked++;
    return proposed.newFrame() == DENIED ? Verdict.DENY : Verdict.ALLOW;
  }

  @Override
  public void changed(TranslationChange change) {
    told++;
  }

  void rounds(int count) {
    for (int i = 0; i < count; i++) {
      long slot = (i & 511) * 8L;
      if ((i & 63) == 8) {
        set(3 << 12 | slot, 0x777L << 12 | LINK);
      }
      store(3 << 12 | slot, (1000 + i & 0xFFF) << 12 | LINK);
      if ((i & 1) == 0) {
        store(3 << 12, DENIED << 12 | LINK);
      }
      if ((i & 15) == 0) {
        store(2 << 12, 0);
        store(2 << 12, 4 << 12 | LINK);
        store(2 << 12, 3 << 12 | LINK);
      }
    }
  }

  private void store(long at, long entry) {
    effect.mask = 0xFF;
    effect.expected[0] = get(at);
    effect.bytes[0] = entry;
    sequence++;
    if ((writes.judge(sequence, 0, at, exit, effect) & PageTableWrites.DENY) == 0) {
      gpa = at;
      replaced = get(at);
      now = entry;
      set(at, entry);
      writes.applied(this);
    }
    answerAll();
  }

  private long get(long gpa) {
    return memory[(int) (gpa >>> 3)];
  }

  private void set(long gpa, long entry) {
    memory[(int) (gpa >>> 3)] = entry;
  }

  private void answerAll() {
    writes.poll();
    while (answered < commands) {
      answered++;
      long at = queue[(int) answered & 1023];
      read = get(at);
      writes.completed(answered, 0, 0, at, 8, this);
    }
  }

  @Override
  public long entry(int index) {
    return read;
  }

  @Override
  public long protectAndRead(long gpa, int length) {
    if (commands - answered == 256) {
      return -1;
    }
    commands++;
    queue[(int) commands & 1023] = gpa;
    return commands;
  }

  @Override
  public long read(long gpa, int length) {
    return protectAndRead(gpa, length);
  }

  @Override
  public long deny(long gpa, long mask) {
    return protectAndRead(gpa, 8);
  }

  @Override
  public long allow(long gpa, long mask) {
    return protectAndRead(gpa, 8);
  }

  @Override
  public void release(long gpa) {}

  @Override
  public long sequence() {
    return sequence;
  }

  @Override
  public int vcpu() {
    return 0;
  }

  @Override
  public long gpa() {
    return gpa;
  }

  @Override
  public int mask() {
    return 0xFF;
  }

  @Override
  public long replaced(int entry) {
    return replaced;
  }

  @Override
  public long bytes(int entry) {
    return now;
  }

  @Override
  public long rip() {
    return 0;
  }

  @Override
  public long cr3() {
    return 0;
  }

  @Override
  public int result() {
    return 1;
  }

  @Override
  public int cause() {
    return 0;
  }
}
