// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.generated.Native;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A field of a decision, as people are shown it.
 *
 * @param offset in {@code struct pt_decision}
 * @param bytes 4 or 8
 */
record Field(String name, int offset, int bytes) {
  static final List<Field> OF_DECISION = ofDecision();

  private static List<Field> ofDecision() {
    List<Field> fields = new ArrayList<>();
    fields.add(new Field("sequence", DecisionLayout.SEQUENCE, 8));
    fields.add(new Field("action", DecisionLayout.ACTION, 4));
    fields.add(new Field("mask", DecisionLayout.MASK, 4));
    fields.add(new Field("flags", DecisionLayout.FLAGS, 4));
    fields.add(new Field("stores", DecisionLayout.STORES, 4));
    fields.add(new Field("gpr_mask", DecisionLayout.GPR_MASK, 4));
    fields.add(new Field("rip", DecisionLayout.RIP, 8));
    fields.add(new Field("rflags", DecisionLayout.RFLAGS, 8));
    for (int i = 0; i < Native.PT_WINDOW_BYTES / 8; i++) {
      fields.add(new Field("expected" + i, DecisionLayout.EXPECTED + 8 * i, 8));
    }
    for (int i = 0; i < Native.PT_WINDOW_BYTES / 8; i++) {
      fields.add(new Field("bytes" + i, DecisionLayout.BYTES + 8 * i, 8));
    }
    for (int i = 0; i < Native.PT_GPR_COUNT; i++) {
      fields.add(new Field("gpr" + i, DecisionLayout.GPR + 8 * i, 8));
    }
    return List.copyOf(fields);
  }

  long get(ByteBuffer decision) {
    return bytes == 4 ? Integer.toUnsignedLong(decision.getInt(offset)) : decision.getLong(offset);
  }

  String text(ByteBuffer decision) {
    return name.equals("action")
        ? Names.action((int) get(decision))
        : "0x" + Long.toHexString(get(decision));
  }
}
