// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.CompletionLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.watch.CompletionData;
import java.nio.ByteBuffer;

/** A view of a COMPLETION record: the answer to a command. */
public final class CompletionRecord implements CompletionData {
  private static final int WORD_SHIFT = 3;

  private final ByteBuffer buffer;
  private int base;

  CompletionRecord(ByteBuffer buffer) {
    this.buffer = buffer;
  }

  CompletionRecord moveTo(int base) {
    this.base = base;
    return this;
  }

  /** Java's own number of the command. */
  public long command() {
    return Memory.getLong(buffer, base + CompletionLayout.COMMAND);
  }

  /** {@code enum pt_command_kind}. */
  public int kind() {
    return Memory.getInt(buffer, base + CompletionLayout.KIND);
  }

  /** 0 or a negative errno. */
  public int status() {
    return Memory.getInt(buffer, base + CompletionLayout.STATUS);
  }

  public long gpa() {
    return Memory.getLong(buffer, base + CompletionLayout.GPA);
  }

  /** Bytes that were read. */
  public int length() {
    return Memory.getInt(buffer, base + CompletionLayout.LENGTH);
  }

  @Override
  public long entry(int index) {
    return Memory.getLong(buffer, base + CompletionLayout.DATA + (index << WORD_SHIFT));
  }
}
