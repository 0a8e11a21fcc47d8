// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.watch.WriteCounters;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import io.ptarmigan.x86.Result;
import org.junit.jupiter.api.Test;

class RehearsalTest {
  @Test
  void warmsTheEmulatorUp() {
    PlanCache plans = new PlanCache(new IcedDecoder(), 64);
    Rehearsal done = Rehearsal.run(new Emulator(plans), 1700);
    assertEquals(8700, done.deciderCounters().exits());
    assertEquals(8400, done.deciderCounters().emulations(Result.WRITE));
    assertEquals(100, done.deciderCounters().emulations(Result.UNSUPPORTED));
    assertEquals(100, done.deciderCounters().emulations(Result.NEEDS_SOURCE));
    assertEquals(100, done.deciderCounters().emulations(Result.NEEDS_XMM));
    assertEquals(0, done.deciderCounters().failures());
    assertTrue(plans.misses() < 20, plans.misses() + " instructions were decoded");
    assertTrue(done.writeCounters().get(WriteCounters.CHANGES) >= 3000);
    assertTrue(done.writeCounters().get(WriteCounters.DENIED) >= 1400);
    assertEquals(1700, done.writeCounters().get(WriteCounters.LATE_DENIED));
  }
}
