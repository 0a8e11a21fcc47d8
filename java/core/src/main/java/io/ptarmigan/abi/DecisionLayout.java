// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi;

import io.ptarmigan.abi.generated.pt_decision;

/** Byte offsets of {@code struct pt_decision}, a decision. */
public final class DecisionLayout {
  /** Bytes of the struct. */
  public static final int SIZE = Offsets.size(pt_decision.class);

  public static final int SEQUENCE = Offsets.of(pt_decision.class, "sequence");
  public static final int GENERATION = Offsets.of(pt_decision.class, "generation");
  public static final int ACTION = Offsets.of(pt_decision.class, "action");
  public static final int MASK = Offsets.of(pt_decision.class, "mask");
  public static final int FLAGS = Offsets.of(pt_decision.class, "flags");
  public static final int STORES = Offsets.of(pt_decision.class, "stores");
  public static final int GPR_MASK = Offsets.of(pt_decision.class, "gpr_mask");
  public static final int EXPECTED = Offsets.of(pt_decision.class, "expected");
  public static final int BYTES = Offsets.of(pt_decision.class, "bytes");
  public static final int GPR = Offsets.of(pt_decision.class, "gpr");
  public static final int RIP = Offsets.of(pt_decision.class, "rip");
  public static final int RFLAGS = Offsets.of(pt_decision.class, "rflags");
  public static final int SEEN_NS = Offsets.of(pt_decision.class, "seen_ns");
  public static final int DECIDED_NS = Offsets.of(pt_decision.class, "decided_ns");

  // Of MORE, in the places of others.
  public static final int NEEDS = Offsets.of(pt_decision.class, "needs");
  public static final int SOURCE_BYTES = Offsets.of(pt_decision.class, "source_bytes");
  public static final int XMM_REGISTER = Offsets.of(pt_decision.class, "xmm_register");
  public static final int SOURCE_GLA = Offsets.of(pt_decision.class, "source_gla");

  private DecisionLayout() {}
}
