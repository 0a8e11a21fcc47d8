// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.Watch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Watches that other threads place and close while the decider goes on. */
class WatchRequestsTest extends Scenario {
  private static final int THREADS = 3;
  private static final int EACH = 2000;

  @Test
  void placedAndClosedByManyThreads() throws InterruptedException {
    List<Watch> kept = new ArrayList<>();
    AtomicInteger running = new AtomicInteger(THREADS);
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < THREADS; t++) {
      Thread thread =
          new Thread(
              () -> {
                placeAndClose(kept);
                running.decrementAndGet();
              });
      threads.add(thread);
      thread.start();
    }
    while (running.get() > 0) {
      guest.run();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    guest.run();
    assertEquals(THREADS * EACH / 4, kept.size());
    assertEquals(kept.size(), writes.counters().get(WriteCounters.WATCHES));
    assertTrue(kept.stream().allMatch(Watch::inForce));
    store(at(1, T1), OTHER | LINK);
    assertEquals(kept.size(), changes.size());
    kept.forEach(Watch::close);
    guest.run();
    assertEquals(Map.of(), guest.protections());
    assertEquals(0, writes.counters().get(WriteCounters.WATCHES));
  }

  /** Keeps every fourth watch. */
  private void placeAndClose(List<Watch> kept) {
    for (int i = 0; i < EACH; i++) {
      Watch watch = writes.watches().watch(ROOT, VA, Bits.DEFAULT, this::collect);
      if (i % 4 == 0) {
        synchronized (kept) {
          kept.add(watch);
        }
      } else {
        watch.close();
      }
    }
  }

  @Test
  void tooManyAtOnceAreRefusedAndRoomComesBack() {
    for (int i = 0; i < WatchRequests.MOST_WAITING; i++) {
      writes.watches().watch(ROOT, VA, Bits.DEFAULT, this::collect).close();
    }
    assertThrows(IllegalStateException.class, this::placeOne);
    writes.poll();
    Watch watch = placeOne();
    guest.run();
    assertTrue(watch.inForce());
  }

  private Watch placeOne() {
    return writes.watches().watch(ROOT, VA, Bits.DEFAULT, this::collect);
  }

  @Test
  void settledOnlyWhenNothingWaits() {
    assertTrue(writes.settled());
    placeOne();
    assertFalse(writes.settled());
    writes.poll();
    assertFalse(writes.settled());
    guest.run();
    assertTrue(writes.settled());
  }
}
