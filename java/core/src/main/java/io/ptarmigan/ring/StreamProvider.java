// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import com.lmax.disruptor.DataProvider;

/** The records where they lie, for the one consumer that gates the native side. */
public final class StreamProvider implements DataProvider<StreamRecord> {
  private final StreamRecord record;

  public StreamProvider(Stream stream) {
    record = new StreamRecord(stream.buffer());
  }

  /** The view, moved to this sequence; the same object each time. */
  @Override
  public StreamRecord get(long sequence) {
    return record.moveTo(Stream.slotOffset(sequence));
  }
}
