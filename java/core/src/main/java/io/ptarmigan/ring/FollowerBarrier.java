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
 * <p>A follower that finds nothing naps, longer each time, and at last sleeps until the decider,
 * finding nothing to do itself, calls {@link #wakeIfAsleep}.
 */
public final class FollowerBarrier implements SequenceBarrier {
  private static final long FIRST_NAP_NANOS = 100_000;
  private static final long LAST_NAP_NANOS = 6_400_000;

  /** Bounds how late a follower sees records of a decider that never runs out of work. */
  private static final long SLEEP_NANOS = 500_000_000;

  private final LongSupplier progress;
  private volatile boolean alerted;
  private volatile Thread sleeper;

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
    long nap = FIRST_NAP_NANOS;
    while (true) {
      long available = progress.getAsLong();
      if (available >= sequence) {
        return available;
      }
      checkAlert();
      if (nap <= LAST_NAP_NANOS) {
        LockSupport.parkNanos(nap);
        nap *= 2;
      } else {
        sleep(sequence);
      }
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
