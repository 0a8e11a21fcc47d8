// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.paging.Translation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * One record of the stream and what the decider did before it took the next. The first moment of a
 * recording has no record: it is what was done before.
 */
final class Moment {
  /** A command that the decider sent. */
  record Command(long id, int kind, int length, long gpa, long mask) {}

  /**
   * A watch that the decider took over, or let go: then only its number counts.
   *
   * @param before what an earlier JVM told of it; null for nothing
   */
  record Placing(
      boolean placed,
      long number,
      long cr3,
      long address,
      long bits,
      long denied,
      Translation before) {}

  final ByteBuffer record = littleEndian(Native.PT_SLOT_BYTES);
  final ByteBuffer decision = littleEndian(DecisionLayout.SIZE);
  final List<Command> commands = new ArrayList<>();
  final List<Placing> placings = new ArrayList<>();
  long sequence;
  boolean hasRecord;
  boolean hasDecision;

  /** A command found no room. */
  boolean refused;

  /** Records, or what the decider did, are missing before the next moment. */
  boolean gap;

  private static ByteBuffer littleEndian(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  void clear(long at) {
    sequence = at;
    hasRecord = false;
    hasDecision = false;
    refused = false;
    gap = false;
    commands.clear();
    placings.clear();
  }

  boolean isExit() {
    return hasRecord && record.getInt(HeadLayout.KIND) == Native.PT_RECORD_EXIT;
  }

  int vcpu() {
    return record.getInt(HeadLayout.VCPU);
  }

  int action() {
    return decision.getInt(DecisionLayout.ACTION);
  }
}
