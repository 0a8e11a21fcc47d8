// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi;

import io.ptarmigan.abi.generated.pt_counters;
import java.util.Locale;

/**
 * The native side's running totals, {@code struct pt_counters}; the header says what each counts.
 */
public enum Counter {
  EXITS,
  REPLIES,
  EMULATED,
  DENIED,
  STEPPED,
  HV_EMULATED,
  FAIL_POLICY,
  TIMED_OUT,
  RETRIED,
  SWAP_CONFLICTS,
  RELEVANT,
  REFUSED,
  STALE,
  STORES,
  SHARED_FRAME,
  PAGE_CACHE_HITS,
  PAGE_CACHE_MISSES,
  OUTCOMES_DROPPED,
  WALKER_AD,
  COMMANDS,
  LATE_DENIED,
  MORE,
  JVM_RESTARTS,
  JVM_READY,
  STALLS,
  LONGEST_PAUSE_NS,
  LONGEST_DECIDED_NS,
  LONGEST_LATE_NS,
  LONGEST_NO_JVM_NS,
  HELD;

  private final String field = name().toLowerCase(Locale.ROOT);
  private final int offset = StreamHeaderLayout.COUNTERS + Offsets.of(pt_counters.class, field);

  /** Name of the field in the header, and in every report. */
  public String field() {
    return field;
  }

  /** Bytes from the start of the stream file. */
  public int offset() {
    return offset;
  }
}
