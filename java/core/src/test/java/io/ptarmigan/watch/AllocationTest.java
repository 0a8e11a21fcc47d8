// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/** Writes that change watched translations, tables that come and go, vetoes: no byte allocated. */
class AllocationTest {
  private static final int ROUNDS = 50_000;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final BusyTables tables = new BusyTables();
  private Object kept;

  @Test
  void writesWithWatchedChangesAllocateNothing() {
    warmUp();
    tables.told = 0;
    tables.asked = 0;
    long before = threads.getCurrentThreadAllocatedBytes();
    tables.rounds(ROUNDS);
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertEquals(0, allocated);
    assertTrue(tables.told > ROUNDS, "changes were told");
    assertTrue(tables.asked > ROUNDS, "listeners were asked");
    WriteCounters counters = tables.writes.counters();
    assertTrue(counters.get(WriteCounters.VETOED) > ROUNDS / 4, "writes were vetoed");
    assertTrue(counters.get(WriteCounters.RESYNCS) > 0, "unseen changes were found");
  }

  @Test
  void sixteenBytesOnceAreNoticed() {
    warmUp();
    long before = threads.getCurrentThreadAllocatedBytes();
    tables.rounds(ROUNDS);
    kept = new Object();
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertEquals(16, allocated, () -> "with " + kept);
  }

  /** The first calls of the meter allocate, too. */
  private void warmUp() {
    for (int i = 0; i < 10; i++) {
      tables.rounds(ROUNDS / 10);
      threads.getCurrentThreadAllocatedBytes();
    }
  }
}
