// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.Memory;
import java.nio.ByteBuffer;

/**
 * A view of one record, moved from slot to slot. One per consuming thread; what it shows is valid
 * until it is moved.
 */
public final class StreamRecord {
  private final ByteBuffer buffer;
  private final ExitRecord exit;
  private final OutcomeRecord outcome;
  private final CompletionRecord completion;
  private int base;

  StreamRecord(ByteBuffer buffer) {
    this.buffer = buffer;
    exit = new ExitRecord(buffer);
    outcome = new OutcomeRecord(buffer);
    completion = new CompletionRecord(buffer);
  }

  StreamRecord moveTo(int base) {
    this.base = base;
    return this;
  }

  /** {@code enum pt_record_kind}; 0 for a record that was lost because the writer lapped it. */
  public int kind() {
    return Memory.getInt(buffer, base + HeadLayout.KIND);
  }

  public int vcpu() {
    return Memory.getInt(buffer, base + HeadLayout.VCPU);
  }

  public long sequence() {
    return Memory.getLongAcquire(buffer, base + HeadLayout.SEQUENCE);
  }

  /**
   * Copies its first bytes, as they lie in the slot.
   *
   * @param length bytes, up to those of a slot
   */
  public void copyTo(ByteBuffer target, int at, int length) {
    target.put(at, buffer, base, length);
  }

  /** This record as an exit; meaningful where {@link #kind} says so. */
  public ExitRecord exit() {
    return exit.moveTo(base);
  }

  /** This record as an outcome; meaningful where {@link #kind} says so. */
  public OutcomeRecord outcome() {
    return outcome.moveTo(base);
  }

  /** This record as a completion; meaningful where {@link #kind} says so. */
  public CompletionRecord completion() {
    return completion.moveTo(base);
  }
}
