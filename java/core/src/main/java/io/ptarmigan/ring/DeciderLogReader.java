// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.Memory;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Reads a {@link DeciderLog} in the order in which it was written, on a thread of its own, without
 * allocation. An entry is copied and kept only if its index still stands there afterwards; what was
 * overwritten before is counted.
 */
public final class DeciderLogReader {
  private final DeciderLog log;
  private final ByteBuffer copy =
      ByteBuffer.allocateDirect(DeciderLog.ENTRY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final ByteBuffer payload =
      ByteBuffer.allocateDirect(DeciderLog.MOST_PAYLOAD).order(ByteOrder.LITTLE_ENDIAN);
  private long read;
  private long lost;
  private int kind;
  private long at;
  private int length;

  public DeciderLogReader(DeciderLog log) {
    this.log = log;
  }

  /**
   * Moves to the next entry of a record before {@code sequence}; false if there is none. Complete
   * for records that the decider was seen to be done with.
   */
  public boolean next(long sequence) {
    long cursor = log.cursor();
    DeciderLog.Placing placing = log.placings.peek();
    if (placing != null && placing.after() <= read) {
      return placing.at() < sequence && take(placing);
    }
    while (read < cursor) {
      if (copied(read + 1)) {
        if (Memory.getLong(copy, DeciderLog.AT) >= sequence) {
          return false;
        }
        read++;
        take();
        return true;
      }
      long oldest = Math.max(read + 1, log.cursor() - DeciderLog.ENTRIES + 1);
      lost += oldest - read;
      read = oldest;
    }
    return false;
  }

  private boolean copied(long index) {
    int entry = DeciderLog.entryOffset(index);
    if (Memory.getLongAcquire(log.buffer, entry + DeciderLog.INDEX) != index) {
      return false;
    }
    copy.put(0, log.buffer, entry, DeciderLog.ENTRY_BYTES);
    VarHandle.acquireFence();
    return Memory.getLongOpaque(log.buffer, entry + DeciderLog.INDEX) == index;
  }

  private void take() {
    kind = Memory.getInt(copy, DeciderLog.KIND);
    at = Memory.getLong(copy, DeciderLog.AT);
    length = Memory.getInt(copy, DeciderLog.LENGTH);
    payload.put(0, copy, DeciderLog.PAYLOAD, length);
  }

  private boolean take(DeciderLog.Placing placing) {
    log.placings.poll();
    kind = placing.kind();
    at = placing.at();
    length = placing.fields().length * Long.BYTES;
    for (int i = 0; i < placing.fields().length; i++) {
      payload.putLong(i * Long.BYTES, placing.fields()[i]);
    }
    return true;
  }

  /** Tells the decider that nobody reads any more. */
  public void stop() {
    log.stop();
  }

  /** {@code DeciderLog.DECISION} and so on. */
  public int kind() {
    return kind;
  }

  /** Sequence of the record that the decider had begun last. */
  public long at() {
    return at;
  }

  /** Valid bytes in {@link #payload}. */
  public int length() {
    return length;
  }

  /** What the entry holds, from offset 0; until the next move. */
  public ByteBuffer payload() {
    return payload;
  }

  /** Entries that were overwritten before they were read. */
  public long lost() {
    return lost;
  }
}
