// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import com.lmax.disruptor.AlertException;
import com.lmax.disruptor.SequenceBarrier;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * The barrier of a handler behind the decider. It reads how far the decider has come, gates nobody,
 * and takes no part in the sleep protocol with the native side: a slow follower cannot delay a
 * guest.
 *
 * <p>A follower that has seen everything naps, longer where little comes and shorter where it could
 * be lapped. Where nothing comes it sleeps until the decider, finding nothing to do itself, calls
 * {@link #wakeIfAsleep}.
 */
public final class FollowerBarrier implements SequenceBarrier {
  private static final long SHORTEST_NAP_NANOS = 50_000;
  private static final long LONGEST_NAP_NANOS = 4_000_000;

  /** Records during one nap: fewer are not worth waking for, more come close to a lap. */
  private static final long FEW_RECORDS = 64;

  private static final long MANY_RECORDS = 256;

  /** Bounds how late a follower sees records of a decider that never runs out of work. */
  private static final long SLEEP_NANOS = 500_000_000;

  private final LongSupplier progress;
  private volatile boolean alerted;
  private volatile Thread sleeper;
  private long nap = SHORTEST_NAP_NANOS;

  /**
   * A barrier for one follower.
   *
   * @param progress newest sequence that may be read; an acquire load
   */
  public FollowerBarrier(LongSupplier progress) {
    this.progress = progress;
  }

  @Override
  public long waitFor(long sequence) throws AlertException {
    long available = progress.getAsLong();
    while (available < sequence) {
      checkAlert();
      if (nap <= LONGEST_NAP_NANOS) {
        LockSupport.parkNanos(nap);
      } else {
        sleep(sequence);
      }
      available = progress.getAsLong();
      adapt(available - sequence + 1);
    }
    return available;
  }

  private void adapt(long records) {
    if (records <= 0) {
      nap = Math.min(nap << 1, LONGEST_NAP_NANOS << 1);
    } else if (records > MANY_RECORDS) {
      nap = Math.max(Math.min(nap, LONGEST_NAP_NANOS) >> 1, SHORTEST_NAP_NANOS);
    } else {
      nap = Math.min(records < FEW_RECORDS ? nap << 1 : nap, LONGEST_NAP_NANOS);
    }
  }

  private void sleep(long sequence) {
    sleeper = Thread.currentThread();
    VarHandle.fullFence();
    if (progress.getAsLong() < sequence && !alerted) {
      LockSupport.parkNanos(SLEEP_NANOS);
    }
    sleeper = null;
  }

  /** Wakes the follower from its sleep; costs one load where it is awake. Any thread. */
  public void wakeIfAsleep() {
    Thread asleep = sleeper;
    if (asleep != null) {
      LockSupport.unpark(asleep);
    }
  }

  @Override
  public long getCursor() {
    return progress.getAsLong();
  }

  @Override
  public boolean isAlerted() {
    return alerted;
  }

  @Override
  public void alert() {
    alerted = true;
    wakeIfAsleep();
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
