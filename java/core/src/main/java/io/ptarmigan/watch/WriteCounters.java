// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Running totals of the decider's write processing. Written by the decider only, with opaque
 * stores; any thread may read, each number by itself.
 */
public final class WriteCounters {
  /** Writes that were judged, each round of an exit by itself. */
  public static final int JUDGED = 0;

  /** Of those, writes that touch a watched entry. */
  public static final int HITS = 1;

  /** Of those, writes that change a watched translation, or may. */
  public static final int RELEVANT = 2;

  /** Of those, writes that were vetoed, or would change a denied bit. */
  public static final int VETOED = 3;

  /** Writes that happened. */
  public static final int APPLIED = 4;

  /** Writes that were denied: registers advanced, memory left. */
  public static final int DENIED = 5;

  /** Changes handed to the sink. */
  public static final int CHANGES = 6;

  /** Entries that held something else than the writes seen had left there. */
  public static final int RESYNCS = 7;

  /** Entries that could not be protected or read. */
  public static final int UNREADABLE = 8;

  /** Listeners that threw when asked. */
  public static final int LISTENER_FAILURES = 9;

  /** Watches placed and not removed. */
  public static final int WATCHES = 10;

  /** Deny rules that the native side did not take: only emulated writes are denied there. */
  public static final int RULES_REFUSED = 11;

  /** Entries of which a deny rule had to put bits back, or keep them from being written. */
  public static final int LATE_DENIED = 12;

  /** Watches placed for which the notebook had no room. */
  public static final int UNNOTED = 13;

  /** Times that writes were missed, because the decider did not keep up. */
  public static final int GAPS = 14;

  private static final int COUNT = 15;

  private final AtomicLongArray totals = new AtomicLongArray(COUNT);

  void add(int counter, long amount) {
    totals.setOpaque(counter, totals.getPlain(counter) + amount);
  }

  /** The total of one of the constants above. */
  public long get(int counter) {
    return totals.getOpaque(counter);
  }
}
