// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.bench;

import io.ptarmigan.abi.DecisionsHeaderLayout;
import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.Decisions;
import io.ptarmigan.ring.NativeWake;
import io.ptarmigan.ring.Stream;
import io.ptarmigan.ring.StreamProducer;
import java.nio.ByteBuffer;

/**
 * The native side's half of a stream that holds prebuilt exits, each followed by its outcome: only
 * the sequences are written anew. One thread.
 */
final class ExitFeed {
  private static final int BATCH = 128;
  private static final long SLOTS = Native.PT_SLOT_COUNT;

  private final StreamProducer producer = new StreamProducer();
  private final ByteBuffer stream = producer.streamBuffer();
  private final ByteBuffer decisions = producer.decisionsBuffer();
  private long cursor;

  Stream stream() {
    return producer.stream();
  }

  Decisions decisions() {
    return producer.decisions();
  }

  NativeWake wake() {
    return producer.wake();
  }

  /** Feeds the consumer for that long, as far as it keeps up. */
  double exitsPerSecond(long nanos) {
    if (cursor == 0) {
      fill();
    }
    long first = cursor;
    long begin = System.nanoTime();
    while (System.nanoTime() - begin < nanos) {
      awaitRoom();
      publish();
    }
    awaitConsumed(cursor);
    return (cursor - first) / 2 * 1e9 / (System.nanoTime() - begin);
  }

  void end() {
    producer.state(Native.PT_STATE_ENDED);
  }

  /** One lap with every field set. */
  private void fill() {
    while (producer.cursor() < SLOTS) {
      long exit = Instruction.MOV.raise(producer, (int) producer.cursor() / 2 & 1);
      producer
          .outcome((int) producer.cursor() / 2 & 1, exit, Native.PT_RESULT_APPLIED)
          .with(OutcomeLayout.GPA, Instruction.GPA)
          .with(OutcomeLayout.MASK, 0xff)
          .publish();
    }
    cursor = producer.cursor();
    awaitConsumed(cursor);
  }

  private void awaitRoom() {
    awaitConsumed(cursor + BATCH - SLOTS);
  }

  private void awaitConsumed(long sequence) {
    while (Memory.getLongAcquire(decisions, DecisionsHeaderLayout.CONSUMED) < sequence) {
      Thread.yield(); // the consumer may need this CPU
    }
  }

  private void publish() {
    for (int i = 0; i < BATCH; i += 2) {
      long exit = cursor + 1 + i;
      int slot = Stream.slotOffset(exit);
      Memory.setLong(stream, slot + ExitLayout.FIRST, exit);
      Memory.setLongRelease(stream, slot + HeadLayout.SEQUENCE, exit);
      slot = Stream.slotOffset(exit + 1);
      Memory.setLong(stream, slot + OutcomeLayout.EXIT, exit);
      Memory.setLong(stream, slot + OutcomeLayout.FIRST, exit);
      Memory.setLongRelease(stream, slot + HeadLayout.SEQUENCE, exit + 1);
    }
    cursor += BATCH;
    producer.publishUpTo(cursor);
  }
}
