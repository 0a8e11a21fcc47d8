// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.observe;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.OptionalDouble;

/**
 * How many bytes a set of threads allocates per exit once the JVM is warm. The count begins with
 * the newest sample before exit {@link #FIRST_EXIT} and ends with the last sample. For one thread
 * that is not among the measured ones, which must live until the last sample.
 */
public final class AllocationMeter {
  /** Exits before it are warm-up. */
  public static final long FIRST_EXIT = 200_000;

  private final ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final long[] threads;
  private long exitsBefore;
  private long bytesBefore;
  private long exitsNow;
  private long bytesNow;

  public AllocationMeter(List<Thread> threads) {
    this.threads = threads.stream().mapToLong(Thread::getId).toArray();
    sample(0);
  }

  /** To be called often: the count begins at most one interval before the warm-up ends. */
  public void sample(long exits) {
    long bytes = 0;
    for (long allocated : bean.getThreadAllocatedBytes(threads)) {
      if (allocated < 0) {
        throw new IllegalStateException("a measured thread has ended");
      }
      bytes += allocated;
    }
    exitsNow = exits;
    bytesNow = bytes;
    if (exits < FIRST_EXIT) {
      exitsBefore = exits;
      bytesBefore = bytes;
    }
  }

  /** Bytes per exit; empty where the run was over before the warm-up was. */
  public OptionalDouble bytesPerExit() {
    if (exitsNow < FIRST_EXIT) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of((double) (bytesNow - bytesBefore) / (exitsNow - exitsBefore));
  }
}
