// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import com.lmax.disruptor.BatchEventProcessor;
import com.lmax.disruptor.BatchEventProcessorBuilder;
import com.lmax.disruptor.EventHandler;
import io.ptarmigan.ring.CopyingProvider;
import io.ptarmigan.ring.Decisions;
import io.ptarmigan.ring.FollowerBarrier;
import io.ptarmigan.ring.Stream;
import io.ptarmigan.ring.StreamRecord;

/**
 * A handler behind the decider, on a thread of its own, that sees private copies of the records. It
 * gates nobody: where it is too slow it loses records, and they are counted.
 */
final class Follower {
  private final String name;
  private final CopyingProvider provider;
  private final FollowerBarrier barrier;
  private final BatchEventProcessor<StreamRecord> processor;

  Follower(
      String name,
      EventHandler<StreamRecord> handler,
      Stream stream,
      Decisions decisions,
      FailureCounter failures) {
    this.name = name;
    provider = new CopyingProvider(stream);
    barrier = new FollowerBarrier(decisions::consumed);
    processor = new BatchEventProcessorBuilder().build(provider, barrier, handler);
    processor.setExceptionHandler(failures);
    processor.getSequence().set(decisions.consumed());
  }

  String name() {
    return name;
  }

  BatchEventProcessor<StreamRecord> processor() {
    return processor;
  }

  boolean reached(long sequence) {
    return processor.getSequence().get() >= sequence;
  }

  void wakeIfAsleep() {
    barrier.wakeIfAsleep();
  }

  long lost() {
    return provider.lost();
  }
}
