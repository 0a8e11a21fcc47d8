// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

/**
 * How long a waiting decider looks without giving up its CPU, and how long it then yields before it
 * sleeps; both in nanoseconds since it found nothing.
 */
public record WaitTimes(long spinNanos, long yieldNanos) {
  private static final int FEW_CPUS = 4;

  /**
   * For this many CPUs. The native loop, the decider, the guest's vCPUs and the page walker share
   * them: on few, spinning takes the CPU from the thread that is waited for.
   */
  public static WaitTimes forCpus(int cpus) {
    return cpus <= FEW_CPUS ? new WaitTimes(2_000, 50_000) : new WaitTimes(20_000, 100_000);
  }
}
