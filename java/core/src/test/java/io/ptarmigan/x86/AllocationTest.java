// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;

/** With the plans cached, no instruction of the tables allocates, refusals included. */
class AllocationTest {
  private static final int ROUNDS = 200;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final Emulator emulator = new Emulator(new PlanCache(new IcedDecoder(), 16384));
  private final Effect effect = new Effect();

  /** Kept so that the allocation of the negative control cannot be optimised away. */
  private Object kept;

  @Test
  void cachedExitsDoNotAllocate() {
    ExitState[] exits = exits();
    emulateAll(exits, false);
    emulateAll(exits, false);
    assertEquals(0, allocatedBy(exits, false));
  }

  @Test
  void oneSmallObjectIsSeen() {
    ExitState[] exits = exits();
    emulateAll(exits, false);
    emulateAll(exits, false);
    assertTrue(allocatedBy(exits, true) >= 16);
  }

  private static ExitState[] exits() {
    List<ExitState> exits =
        Tables.files().stream()
            .flatMap(file -> Tables.lines(file).stream())
            .filter(line -> !line.answer().endsWith("truncated"))
            .<ExitState>map(Tables.Line::parseExit)
            .toList();
    return exits.toArray(new ExitState[0]);
  }

  /**
   * Of some runs the one that allocates least: a late compilation may cost a run something, but
   * code that allocates does so in each.
   */
  private long allocatedBy(ExitState[] exits, boolean once) {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 4; i++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      emulateAll(exits, once);
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }

  private void emulateAll(ExitState[] exits, boolean allocateOnce) {
    for (int round = 0; round < ROUNDS; round++) {
      for (ExitState exit : exits) {
        emulator.emulate(exit, effect);
      }
      if (allocateOnce && round == 0) {
        kept = new Object();
      }
    }
  }
}
