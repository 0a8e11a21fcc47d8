// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.generated.Native;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Compares decisions byte by byte, whatever fields they have, but for three that belong to one run:
 * the generation of the JVM and the two times.
 */
final class DecisionComparison {
  private final ByteBuffer recorded = scratch();
  private final ByteBuffer replayed = scratch();

  private static ByteBuffer scratch() {
    return ByteBuffer.allocateDirect(DecisionLayout.SIZE).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Compares two decisions.
   *
   * @param judged false to leave out what depends on watches: whether the write is relevant, and
   *     whether it is denied
   */
  boolean same(ByteBuffer one, ByteBuffer other, boolean judged) {
    take(one, recorded, judged);
    take(other, replayed, judged);
    return recorded.equals(replayed);
  }

  private static void take(ByteBuffer from, ByteBuffer to, boolean judged) {
    to.put(0, from, 0, DecisionLayout.SIZE);
    to.putInt(DecisionLayout.GENERATION, 0);
    to.putLong(DecisionLayout.SEEN_NS, 0);
    to.putLong(DecisionLayout.DECIDED_NS, 0);
    if (!judged) {
      int flags = to.getInt(DecisionLayout.FLAGS);
      to.putInt(DecisionLayout.FLAGS, flags & ~Native.PT_DECISION_RELEVANT);
      if (to.getInt(DecisionLayout.ACTION) == Native.PT_ACTION_SKIP) {
        to.putInt(DecisionLayout.ACTION, Native.PT_ACTION_WRITE);
      }
    }
  }

  /** The two decisions compared last, field by field, with a star where they differ. */
  List<String> table() {
    List<String> lines = new ArrayList<>();
    lines.add(String.format("  %-10s %-20s %s", "field", "recorded", "replayed"));
    boolean[] told = new boolean[DecisionLayout.SIZE];
    for (Field field : Field.OF_DECISION) {
      String was = field.text(recorded);
      String is = field.text(replayed);
      lines.add(
          String.format("%s %-10s %-20s %s", was.equals(is) ? " " : "*", field.name(), was, is));
      for (int i = 0; i < field.bytes(); i++) {
        told[field.offset() + i] = true;
      }
    }
    for (int at = 0; at < told.length; at++) {
      if (!told[at] && recorded.get(at) != replayed.get(at)) {
        lines.add(
            String.format("* byte %-5d 0x%-18x 0x%x", at, recorded.get(at), replayed.get(at)));
      }
    }
    return lines;
  }
}
