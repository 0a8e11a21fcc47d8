// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.lmax.disruptor.AlertException;
import io.ptarmigan.abi.DecisionsHeaderLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.generated.Native;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 30, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BarrierTest {
  private final StreamProducer producer = new StreamProducer();
  private final Decisions decisions = producer.decisions();
  private final AtomicInteger idle = new AtomicInteger();
  private final SharedSequenceBarrier barrier =
      new SharedSequenceBarrier(
          producer.stream(), decisions, new WaitTimes(1_000, 20_000), idle::incrementAndGet);

  private static <T> FutureTask<T> start(Callable<T> task) {
    FutureTask<T> future = new FutureTask<>(task);
    new Thread(future).start();
    return future;
  }

  private void awaitSleep() {
    while (Memory.getIntAcquire(producer.decisionsBuffer(), DecisionsHeaderLayout.JAVA_WAITING)
        == 0) {
      Thread.onSpinWait();
    }
  }

  @Test
  void returnsAllThatIsThere() throws Exception {
    for (int i = 0; i < 5; i++) {
      producer.exit(0).publish();
    }
    assertEquals(5, barrier.waitFor(2));
    assertEquals(0, idle.get());
  }

  @Test
  void askingForTheNextRecordFreesTheOnesBefore() throws Exception {
    producer.exit(0).publish();
    producer.exit(0).publish();
    barrier.waitFor(1);
    assertEquals(0, decisions.consumed());
    barrier.waitFor(2);
    assertEquals(1, decisions.consumed());
  }

  @Test
  void aSleeperIsWokenByARecord() throws Exception {
    FutureTask<Long> waiting = start(() -> barrier.waitFor(1));
    awaitSleep();
    producer.exit(0).publish();
    assertEquals(1, waiting.get());
    assertEquals(0, Memory.getInt(producer.decisionsBuffer(), DecisionsHeaderLayout.JAVA_WAITING));
    assertEquals(1, idle.get());
  }

  @Test
  void everyWakeIsSeenWhileBothSidesRace() throws Exception {
    int records = 20_000;
    FutureTask<Long> consumer =
        start(
            () -> {
              long next = 1;
              while (next <= records) {
                next = barrier.waitFor(next) + 1;
              }
              return next;
            });
    for (int i = 1; i <= records; i++) {
      producer.exit(0).publish();
      while (decisions.consumed() < i - Native.PT_SLOT_COUNT / 2) {
        Thread.onSpinWait();
      }
      if (i % 64 == 0) {
        Thread.sleep(0, 50_000);
      }
    }
    assertEquals(records + 1, consumer.get(20, TimeUnit.SECONDS));
  }

  @Test
  void anAlertEndsAWait() {
    FutureTask<Long> waiting = start(() -> barrier.waitFor(1));
    awaitSleep();
    barrier.alert();
    var failure = assertThrows(java.util.concurrent.ExecutionException.class, waiting::get);
    assertEquals(AlertException.INSTANCE, failure.getCause());
  }

  @Test
  void aNudgeRunsTheIdleTask() throws Exception {
    FutureTask<Long> waiting = start(() -> barrier.waitFor(1));
    awaitSleep();
    barrier.nudge();
    while (idle.get() < 2) {
      Thread.onSpinWait();
    }
    producer.exit(0).publish();
    assertEquals(1, waiting.get());
  }

  @Test
  void aFollowerSeesTheDecidersProgressOnly() throws Exception {
    FollowerBarrier follower = new FollowerBarrier(decisions::consumed);
    producer.exit(0).publish();
    FutureTask<Long> waiting = start(() -> follower.waitFor(1));
    Thread.sleep(20);
    assertTrue(!waiting.isDone());
    decisions.consumed(1);
    follower.wakeIfAsleep();
    assertEquals(1, waiting.get());
  }

  @Test
  void anAlertEndsAFollowersSleep() {
    FollowerBarrier follower = new FollowerBarrier(decisions::consumed);
    FutureTask<Long> waiting = start(() -> follower.waitFor(1));
    follower.alert();
    assertThrows(java.util.concurrent.ExecutionException.class, waiting::get);
  }
}
