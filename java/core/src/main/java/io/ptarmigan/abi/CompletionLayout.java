// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi;

import io.ptarmigan.abi.generated.pt_completion_record;

/** Byte offsets of {@code struct pt_completion_record}, a COMPLETION record. */
public final class CompletionLayout {
  /** Bytes of the struct. */
  public static final int SIZE = Offsets.size(pt_completion_record.class);

  public static final int COMMAND = Offsets.of(pt_completion_record.class, "command");
  public static final int KIND = Offsets.of(pt_completion_record.class, "kind");
  public static final int STATUS = Offsets.of(pt_completion_record.class, "status");
  public static final int GPA = Offsets.of(pt_completion_record.class, "gpa");
  public static final int LENGTH = Offsets.of(pt_completion_record.class, "length");
  public static final int DATA = Offsets.of(pt_completion_record.class, "data");

  private CompletionLayout() {}
}
