// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import com.lmax.disruptor.BatchEventProcessor;
import com.lmax.disruptor.BatchEventProcessorBuilder;
import com.lmax.disruptor.BusySpinWaitStrategy;
import com.lmax.disruptor.RingBuffer;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.ring.FollowerBarrier;
import io.ptarmigan.watch.ChangeRecord;
import io.ptarmigan.watch.ChangeSink;

/**
 * Carries changes from the decider to the thread that tells the listeners. The decider copies each
 * into a ring of records made beforehand and never waits: where the listeners are too slow, changes
 * are dropped and counted.
 */
final class ChangeRing implements ChangeSink {
  private static final int RECORDS = 4096;

  private final RingBuffer<ChangeRecord> ring;
  private final FollowerBarrier barrier;
  private final BatchEventProcessor<ChangeRecord> observer;
  private volatile long dropped;

  ChangeRing(EntryFormat format, FailureCounter failures) {
    // The observer waits on a barrier of its own, so publishing wakes nobody.
    ring =
        RingBuffer.createSingleProducer(
            () -> new ChangeRecord(format), RECORDS, new BusySpinWaitStrategy());
    barrier = new FollowerBarrier(ring::getCursor);
    observer =
        new BatchEventProcessorBuilder()
            .build(ring, barrier, (change, sequence, endOfBatch) -> change.deliver());
    observer.setExceptionHandler(failures);
    ring.addGatingSequences(observer.getSequence());
  }

  @Override
  public void changed(TranslationChange change) {
    if (!ring.hasAvailableCapacity(1)) {
      dropped = dropped + 1; // one writer
      return;
    }
    long sequence = ring.next();
    try {
      ring.get(sequence).copyFrom(change);
    } finally {
      ring.publish(sequence);
    }
  }

  /** Tells the listeners, on the thread that runs it. */
  BatchEventProcessor<ChangeRecord> observer() {
    return observer;
  }

  /** Forgets what the listeners were not told; only while no thread runs {@link #observer}. */
  void discard() {
    observer.getSequence().set(ring.getCursor());
  }

  /** True once the listeners know all that was put in. */
  boolean drained() {
    return observer.getSequence().get() >= ring.getCursor();
  }

  void wakeIfAsleep() {
    barrier.wakeIfAsleep();
  }

  /** Changes that no listener was told, because too many waited. */
  long dropped() {
    return dropped;
  }
}
