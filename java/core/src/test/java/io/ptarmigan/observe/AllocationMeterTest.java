// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.SynchronousQueue;
import org.junit.jupiter.api.Test;

class AllocationMeterTest {
  @Test
  void countsFromTheLastSampleBeforeTheWarmUpEnded() throws Exception {
    SynchronousQueue<Integer> sizes = new SynchronousQueue<>();
    CountDownLatch end = new CountDownLatch(1);
    byte[][] kept = new byte[3][];
    Thread spender =
        new Thread(
            () -> {
              try {
                for (int i = 0; i < kept.length; i++) {
                  kept[i] = new byte[sizes.take()];
                }
                end.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    spender.start();
    AllocationMeter meter = new AllocationMeter(List.of(spender));
    sizes.put(50_000_000);
    Thread.sleep(50);
    meter.sample(AllocationMeter.FIRST_EXIT - 1);
    assertTrue(meter.bytesPerExit().isEmpty());
    sizes.put(1_000_000);
    Thread.sleep(50);
    meter.sample(AllocationMeter.FIRST_EXIT + 1);
    sizes.put(2_000_000);
    Thread.sleep(50);
    meter.sample(AllocationMeter.FIRST_EXIT + 99);
    end.countDown();
    assertEquals(30_000, meter.bytesPerExit().orElseThrow(), 300);
    assertTrue(kept[2].length > 0);
  }

  @Test
  void aThreadThatEndedCannotBeMeasured() throws Exception {
    Thread ended = new Thread(() -> {});
    ended.start();
    ended.join();
    assertThrows(IllegalStateException.class, () -> new AllocationMeter(List.of(ended)));
  }
}
