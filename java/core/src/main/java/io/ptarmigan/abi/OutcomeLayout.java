// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi;

import io.ptarmigan.abi.generated.pt_outcome_record;

/** Byte offsets of {@code struct pt_outcome_record}, an OUTCOME record. */
public final class OutcomeLayout {
  /** Bytes of the struct. */
  public static final int SIZE = Offsets.size(pt_outcome_record.class);

  public static final int EXIT = Offsets.of(pt_outcome_record.class, "exit");
  public static final int FIRST = Offsets.of(pt_outcome_record.class, "first");
  public static final int RESULT = Offsets.of(pt_outcome_record.class, "result");
  public static final int CAUSE = Offsets.of(pt_outcome_record.class, "cause");
  public static final int GPA = Offsets.of(pt_outcome_record.class, "gpa");
  public static final int MASK = Offsets.of(pt_outcome_record.class, "mask");
  public static final int STORES = Offsets.of(pt_outcome_record.class, "stores");
  public static final int REPLACED = Offsets.of(pt_outcome_record.class, "replaced");
  public static final int BYTES = Offsets.of(pt_outcome_record.class, "bytes");
  public static final int MORE = Offsets.of(pt_outcome_record.class, "more");
  public static final int ROUND = Offsets.of(pt_outcome_record.class, "round");
  public static final int RIP = Offsets.of(pt_outcome_record.class, "rip");
  public static final int CR3 = Offsets.of(pt_outcome_record.class, "cr3");
  public static final int TAKEN_NS = Offsets.of(pt_outcome_record.class, "taken_ns");
  public static final int PUBLISHED_NS = Offsets.of(pt_outcome_record.class, "published_ns");
  public static final int SEEN_NS = Offsets.of(pt_outcome_record.class, "seen_ns");
  public static final int DECIDED_NS = Offsets.of(pt_outcome_record.class, "decided_ns");
  public static final int COLLECTED_NS = Offsets.of(pt_outcome_record.class, "collected_ns");
  public static final int SWAPPED_NS = Offsets.of(pt_outcome_record.class, "swapped_ns");
  public static final int REPLIED_NS = Offsets.of(pt_outcome_record.class, "replied_ns");

  private OutcomeLayout() {}
}
