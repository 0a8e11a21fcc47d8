// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import com.lmax.disruptor.AlertException;
import com.lmax.disruptor.SequenceBarrier;
import java.lang.invoke.VarHandle;

/**
 * The decider's barrier over the cursor in shared memory. It gates the native side: asking for
 * sequence n says that every record before n is done with, so a stock {@code BatchEventProcessor}
 * publishes its progress by waiting.
 *
 * <p>Waiting goes from spinning over yielding to sleeping in the system. {@link #waitFor} belongs
 * to the decider's thread, the alert methods to any. It throws nothing but {@link AlertException}:
 * the processor would take anything else for the failure of an event.
 */
public final class SharedSequenceBarrier implements SequenceBarrier {
  /** Bounds how long a lost nudge or alert can go unseen; a record needs no such bound. */
  private static final long SLEEP_NANOS = 100_000_000;

  private static final int LOOKS_PER_CLOCK_READ = 16;

  private final Stream stream;
  private final Decisions decisions;
  private final WaitTimes times;
  private final Runnable idle;
  private volatile boolean alerted;
  private volatile boolean nudged;
  private long spinStart;

  /**
   * A barrier for one decider.
   *
   * @param idle run by the decider's thread each time it finds the stream empty, before it waits,
   *     and after each sleep that no record ended
   */
  public SharedSequenceBarrier(Stream stream, Decisions decisions, WaitTimes times, Runnable idle) {
    this.stream = stream;
    this.decisions = decisions;
    this.times = times;
    this.idle = idle;
  }

  @Override
  public long waitFor(long sequence) throws AlertException {
    decisions.consumed(sequence - 1);
    checkAlert();
    long cursor = look(sequence);
    if (cursor >= sequence) {
      return cursor;
    }
    VarHandle.fullFence(); // a follower about to sleep sees the progress, or idle sees it asleep
    idle.run();
    spinStart = System.nanoTime();
    cursor = spin(sequence);
    if (cursor < sequence) {
      cursor = yieldCpu(sequence);
    }
    while (cursor < sequence) {
      checkAlert();
      cursor = sleep(sequence);
      if (cursor < sequence) {
        idle.run();
      }
    }
    return cursor;
  }

  /** A short spin that does not look at the clock. */
  private long look(long sequence) {
    long cursor = stream.cursor();
    for (int look = 1; look < LOOKS_PER_CLOCK_READ && cursor < sequence; look++) {
      Thread.onSpinWait();
      cursor = stream.cursor();
    }
    return cursor;
  }

  private long spin(long sequence) {
    long cursor;
    do {
      cursor = look(sequence);
    } while (cursor < sequence && System.nanoTime() - spinStart < times.spinNanos());
    return cursor;
  }

  private long yieldCpu(long sequence) {
    while (System.nanoTime() - spinStart < times.yieldNanos()) {
      Thread.yield();
      long cursor = stream.cursor();
      if (cursor >= sequence) {
        return cursor;
      }
    }
    return stream.cursor();
  }

  /** The waiting flag is up before the last look; the native side looks at it after publishing. */
  private long sleep(long sequence) {
    int wakeSeen = stream.wake();
    decisions.javaWaiting(true);
    VarHandle.fullFence();
    if (stream.cursor() < sequence && !alerted && !nudged) {
      stream.sleepUnlessWoken(wakeSeen, SLEEP_NANOS);
    }
    decisions.javaWaiting(false);
    nudged = false;
    return stream.cursor();
  }

  /** Has the decider's thread run its idle task soon, even if no record comes. Any thread. */
  public void nudge() {
    nudged = true;
    stream.wakeSleepers();
  }

  @Override
  public long getCursor() {
    return stream.cursor();
  }

  @Override
  public boolean isAlerted() {
    return alerted;
  }

  @Override
  public void alert() {
    alerted = true;
    stream.wakeSleepers();
  }

  @Override
  public void clearAlert() {
    alerted = false;
  }

  @Override
  public void checkAlert() throws AlertException {
    if (alerted) {
      throw AlertException.INSTANCE;
    }
  }
}
