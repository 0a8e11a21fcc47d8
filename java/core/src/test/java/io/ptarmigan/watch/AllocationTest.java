// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.PagingMode;
import io.ptarmigan.x86.Effect;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** Writes that change watched translations, tables that come and go, vetoes: no byte allocated. */
class AllocationTest {
  private static final EntryFormat FORMAT = new EntryFormat(PagingMode.FOUR_LEVEL, 40);
  private static final int WARM_UP = 50_000;
  private static final int ROUNDS = 50_000;
  private static final long LINK = 7;
  private static final long ROOT = 0;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final ArrayGuest guest = new ArrayGuest();
  private final ChangeRecord copy = new ChangeRecord(FORMAT);
  private final PageTableWrites writes = new PageTableWrites(FORMAT, guest, this::take, () -> {});
  private final FakeExit exit = new FakeExit(0x1234);
  private final Effect effect = new Effect();
  private Object kept;
  private long told;
  private long asked;

  /** Tables 0 to 3 map 512 pages; table 4 is the other page table. */
  AllocationTest() {
    guest.set(0, 1 << 12 | LINK);
    guest.set(1 << 12, 2 << 12 | LINK);
    guest.set(2 << 12, 3 << 12 | LINK);
    for (int i = 0; i < 512; i++) {
      guest.set(3 << 12 | i * 8, 100 + i << 12 | LINK);
      guest.set(4 << 12 | i * 8, 700 + i << 12 | LINK);
    }
    TranslationListener listener =
        new TranslationListener() {
          @Override
          public Verdict before(TranslationChange proposed) {
            asked++;
            return proposed.newFrame() == 0x999 ? Verdict.DENY : Verdict.ALLOW;
          }

          @Override
          public void changed(TranslationChange change) {
            told++;
          }
        };
    for (int i = 0; i < 512; i += 8) {
      writes.watches().watch(ROOT, (long) i << 12, Bits.DEFAULT, listener);
    }
    guest.answerAll();
  }

  private void take(TranslationChange change) {
    copy.copyFrom(change);
    copy.deliver();
  }

  @Test
  void writesWithWatchedChangesAllocateNothing() {
    rounds(WARM_UP);
    told = 0;
    asked = 0;
    assertEquals(0, leastAllocatedBy(() -> rounds(ROUNDS)));
    assertTrue(told > ROUNDS, "changes were told");
    assertTrue(asked > ROUNDS, "listeners were asked");
    assertTrue(writes.counters().get(WriteCounters.VETOED) > ROUNDS / 4);
    assertTrue(writes.counters().get(WriteCounters.RESYNCS) > 0);
  }

  @Test
  void sixteenBytesOnceAreNoticed() {
    rounds(WARM_UP);
    long allocated =
        leastAllocatedBy(
            () -> {
              rounds(ROUNDS);
              kept = new Object();
            });
    assertTrue(allocated >= 16, () -> kept + ": " + allocated);
  }

  /**
   * Of some runs the one that allocates least: a late compilation may cost a run something, but
   * code that allocates does so in each.
   */
  private long leastAllocatedBy(Runnable run) {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 4; i++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      run.run();
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }

  private void rounds(int count) {
    for (int i = 0; i < count; i++) {
      long slot = (i & 511) * 8L;
      if ((i & 63) == 8) {
        guest.set(3 << 12 | slot, 0x777L << 12 | LINK);
      }
      store(3 << 12 | slot, (1000 + i & 0xFFF) << 12 | LINK);
      if ((i & 1) == 0) {
        store(3 << 12, 0x999L << 12 | LINK);
      }
      if ((i & 15) == 0) {
        store(2 << 12, 0);
        store(2 << 12, 4 << 12 | LINK);
        store(2 << 12, 3 << 12 | LINK);
      }
    }
  }

  private void store(long gpa, long entry) {
    effect.mask = 0xFF;
    effect.expected[0] = guest.get(gpa);
    effect.bytes[0] = entry;
    guest.sequence++;
    if ((writes.judge(guest.sequence, 0, gpa, exit, effect) & PageTableWrites.DENY) == 0) {
      guest.gpa = gpa;
      guest.replaced = guest.get(gpa);
      guest.now = entry;
      guest.set(gpa, entry);
      writes.applied(guest);
    }
    guest.answerAll();
  }

  /** Memory, commands and the one outcome, in arrays made beforehand. */
  private final class ArrayGuest implements GuestPort, AppliedWrite, CompletionData {
    private final long[] memory = new long[5 * 512];
    private final long[] queue = new long[1024];
    private long asked;
    private long answered;
    private long read;
    private long sequence;
    private long gpa;
    private long replaced;
    private long now;

    long get(long gpa) {
      return memory[(int) (gpa >>> 3)];
    }

    void set(long gpa, long entry) {
      memory[(int) (gpa >>> 3)] = entry;
    }

    void answerAll() {
      writes.poll();
      while (answered < asked) {
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
      if (asked - answered == 256) {
        return -1;
      }
      asked++;
      queue[(int) asked & 1023] = gpa;
      return asked;
    }

    @Override
    public long read(long gpa, int length) {
      return protectAndRead(gpa, length);
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
}
