// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.watch.AppliedWrite;
import java.nio.ByteBuffer;

/** A view of an OUTCOME record: what happened to an exit. */
public final class OutcomeRecord implements AppliedWrite {
  private static final int WORD_SHIFT = 3;

  private final ByteBuffer buffer;
  private int base;

  OutcomeRecord(ByteBuffer buffer) {
    this.buffer = buffer;
  }

  OutcomeRecord moveTo(int base) {
    this.base = base;
    return this;
  }

  private long longAt(int offset) {
    return Memory.getLong(buffer, base + offset);
  }

  private int intAt(int offset) {
    return Memory.getInt(buffer, base + offset);
  }

  /** Of the EXIT that this answers; 0 for an exit that was never published. */
  @Override
  public long sequence() {
    return longAt(OutcomeLayout.EXIT);
  }

  @Override
  public int vcpu() {
    return intAt(HeadLayout.VCPU);
  }

  @Override
  public long gpa() {
    return longAt(OutcomeLayout.GPA);
  }

  @Override
  public int mask() {
    return intAt(OutcomeLayout.MASK);
  }

  @Override
  public long replaced(int entry) {
    return longAt(OutcomeLayout.REPLACED + (entry << WORD_SHIFT));
  }

  @Override
  public long bytes(int entry) {
    return longAt(OutcomeLayout.BYTES + (entry << WORD_SHIFT));
  }

  @Override
  public long rip() {
    return longAt(OutcomeLayout.RIP);
  }

  @Override
  public long cr3() {
    return longAt(OutcomeLayout.CR3);
  }

  @Override
  public int result() {
    return intAt(OutcomeLayout.RESULT);
  }

  @Override
  public int cause() {
    return intAt(OutcomeLayout.CAUSE);
  }

  /** Sequence of the exit's first publication; 0 for an exit that was never published. */
  public long first() {
    return longAt(OutcomeLayout.FIRST);
  }

  /** True where another OUTCOME of the same publication follows at once. */
  public boolean more() {
    return intAt(OutcomeLayout.MORE) != 0;
  }

  /** Publications of the exit before the one that this answers. */
  public int round() {
    return intAt(OutcomeLayout.ROUND);
  }

  /** Stores of the guest that this accounts for. */
  public int stores() {
    return intAt(OutcomeLayout.STORES);
  }

  public long takenNanos() {
    return longAt(OutcomeLayout.TAKEN_NS);
  }

  public long publishedNanos() {
    return longAt(OutcomeLayout.PUBLISHED_NS);
  }

  /** When Java took the exit; 0 where Java did not decide. */
  public long seenNanos() {
    return longAt(OutcomeLayout.SEEN_NS);
  }

  /** When Java published its decision; 0 where Java did not decide. */
  public long decidedNanos() {
    return longAt(OutcomeLayout.DECIDED_NS);
  }

  public long collectedNanos() {
    return longAt(OutcomeLayout.COLLECTED_NS);
  }

  public long repliedNanos() {
    return longAt(OutcomeLayout.REPLIED_NS);
  }
}
