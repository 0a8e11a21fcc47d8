// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import io.ptarmigan.abi.Counter;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.monitor.GuestMonitor;
import io.ptarmigan.observe.AllocationMeter;
import io.ptarmigan.observe.LatencyHandler;
import io.ptarmigan.observe.Share;
import io.ptarmigan.ring.Stream;
import io.ptarmigan.x86.PlanCache;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.EnumMap;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * Follows a monitor that was started until its stream ends, and holds what it saw. One thread,
 * which is not a handler's.
 */
final class Run {
  private static final long TICK_MILLIS = 10;
  private static final long LINE_NANOS = 1_000_000_000;
  private static final long DRAIN_NANOS = 10_000_000_000L;

  final Stream stream;
  final GuestMonitor monitor;
  final PlanCache plans;
  final Map<Share, Histogram> whole = LatencyHandler.empty();
  private final LatencyHandler latencies;
  private final Map<Share, Histogram> interval = new EnumMap<>(Share.class);
  private final AllocationMeter allocations;
  private final LiveLine line;
  private final long collectionsBefore = collections();
  private long began;
  private long ended;
  private boolean drained;

  Run(
      Stream stream,
      GuestMonitor monitor,
      PlanCache plans,
      LatencyHandler latencies,
      LiveLine line) {
    this.stream = stream;
    this.monitor = monitor;
    this.plans = plans;
    this.latencies = latencies;
    this.line = line;
    allocations = new AllocationMeter(monitor.handlerThreads());
  }

  /** Returns when every handler has seen the last record, or did not in time. */
  void follow() throws InterruptedException {
    while (stream.state() == Native.PT_STATE_STARTING) {
      Thread.sleep(TICK_MILLIS);
    }
    began = stream.runningSince();
    long lineDue = System.nanoTime() + LINE_NANOS;
    while (stream.state() != Native.PT_STATE_ENDED) {
      Thread.sleep(TICK_MILLIS);
      allocations.sample(exits());
      if (System.nanoTime() >= lineDue) {
        lineDue += LINE_NANOS;
        takeInterval();
        line.print(this, interval);
      }
    }
    ended = System.nanoTime();
    while (!monitor.drained() && System.nanoTime() - ended < DRAIN_NANOS) {
      Thread.sleep(TICK_MILLIS);
    }
    drained = monitor.drained();
    allocations.sample(exits());
    takeInterval();
  }

  private void takeInterval() {
    latencies.takeInterval(interval);
    interval.forEach((share, histogram) -> whole.get(share).add(histogram));
  }

  private static long collections() {
    long sum = 0;
    for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
      sum += collector.getCollectionCount();
    }
    return sum;
  }

  long exits() {
    return stream.counter(Counter.EXITS);
  }

  /** False where a handler did not reach the end of the stream. */
  boolean drained() {
    return drained;
  }

  /** How long the guest has run or ran, under this JVM or an earlier one. */
  double seconds() {
    return ((ended == 0 ? System.nanoTime() : ended) - began) / 1e9;
  }

  /** Garbage collections since the monitor started. */
  long collectionsSinceStart() {
    return collections() - collectionsBefore;
  }

  AllocationMeter allocations() {
    return allocations;
  }
}
