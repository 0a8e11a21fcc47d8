// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi;

import io.ptarmigan.abi.generated.pt_record_head;

/** Byte offsets of {@code struct pt_record_head}, the first 16 bytes of every record. */
public final class HeadLayout {
  public static final int SIZE = Offsets.size(pt_record_head.class);
  public static final int SEQUENCE = Offsets.of(pt_record_head.class, "sequence");
  public static final int KIND = Offsets.of(pt_record_head.class, "kind");
  public static final int VCPU = Offsets.of(pt_record_head.class, "vcpu");

  private HeadLayout() {}
}
