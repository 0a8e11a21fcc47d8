// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import com.lmax.disruptor.DataProvider;
import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.generated.Native;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * Private copies of the records, for a consumer that does not gate the native side and can be
 * lapped by it. A copy is kept only if the slot still holds its sequence afterwards.
 */
public final class CopyingProvider implements DataProvider<StreamRecord> {
  private final ByteBuffer source;
  private final ByteBuffer copy = ByteBuffer.allocateDirect(Native.PT_SLOT_BYTES);
  private final StreamRecord record = new StreamRecord(copy).moveTo(0);
  private volatile long lost;

  public CopyingProvider(Stream stream) {
    source = stream.buffer();
  }

  /** The copy of this record; of kind 0 where the writer lapped it. The same object each time. */
  @Override
  public StreamRecord get(long sequence) {
    int slot = Stream.slotOffset(sequence);
    boolean kept = false;
    if (Memory.getLongAcquire(source, slot + HeadLayout.SEQUENCE) == sequence) {
      copy.put(0, source, slot, Native.PT_SLOT_BYTES);
      VarHandle.acquireFence();
      kept = Memory.getLongOpaque(source, slot + HeadLayout.SEQUENCE) == sequence;
    }
    if (!kept) {
      Memory.setInt(copy, HeadLayout.KIND, 0);
      countLost();
    }
    return record;
  }

  private void countLost() {
    lost = lost + 1; // one writer
  }

  /** Records that the writer overwrote before they were copied. Any thread. */
  public long lost() {
    return lost;
  }
}
