// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import com.lmax.disruptor.ExceptionHandler;
import java.util.concurrent.atomic.AtomicLong;

/** Counts what the handlers behind the decider throw, and lets them go on. */
final class FailureCounter implements ExceptionHandler<Object> {
  private final AtomicLong failures = new AtomicLong();
  private volatile Throwable last;

  @Override
  public void handleEventException(Throwable failure, long sequence, Object event) {
    last = failure;
    failures.incrementAndGet();
  }

  @Override
  public void handleOnStartException(Throwable failure) {
    handleEventException(failure, -1, null);
  }

  @Override
  public void handleOnShutdownException(Throwable failure) {
    handleEventException(failure, -1, null);
  }

  long failures() {
    return failures.get();
  }

  /** What was thrown last; null before the first. */
  Throwable last() {
    return last;
  }
}
