// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.monitor;

import io.ptarmigan.x86.Result;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Running totals of the decider. Written by its thread with opaque stores; any thread may read,
 * each number by itself.
 */
public final class DeciderCounters {
  private static final int EXITS = Result.values().length;
  private static final int UNEXPLAINED = EXITS + 1;
  private static final int INTERRUPT_LIKE = EXITS + 2;
  private static final int FAILURES = EXITS + 3;
  private static final int COUNT = EXITS + 4;

  private final AtomicLongArray totals = new AtomicLongArray(COUNT);
  private volatile Throwable lastFailure;

  private void add(int counter) {
    totals.setOpaque(counter, totals.getPlain(counter) + 1);
  }

  void countExit() {
    add(EXITS);
  }

  void count(Result result) {
    add(result.ordinal());
  }

  void countUnexplained() {
    add(UNEXPLAINED);
  }

  void countInterruptLike() {
    add(INTERRUPT_LIKE);
  }

  void countFailure(Throwable failure) {
    add(FAILURES);
    lastFailure = failure;
  }

  /** EXIT records taken, each round by itself. */
  public long exits() {
    return totals.getOpaque(EXITS);
  }

  /** How often the emulator answered so. */
  public long emulations(Result result) {
    return totals.getOpaque(result.ordinal());
  }

  /** Exits that were no write to a known linear address, and were stepped. */
  public long unexplained() {
    return totals.getOpaque(UNEXPLAINED);
  }

  /** Writes by PUSH or CALL, which were stepped: the delivery of an interrupt looks the same. */
  public long interruptLike() {
    return totals.getOpaque(INTERRUPT_LIKE);
  }

  /** Records whose handling threw. */
  public long failures() {
    return totals.getOpaque(FAILURES);
  }

  /** What the newest of the {@link #failures} threw; null before the first. */
  public Throwable lastFailure() {
    return lastFailure;
  }
}
