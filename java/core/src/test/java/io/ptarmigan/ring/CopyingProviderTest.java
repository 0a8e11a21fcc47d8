// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CopyingProviderTest {
  private final StreamProducer producer = new StreamProducer();
  private final CopyingProvider provider = new CopyingProvider(producer.stream());

  private void publishOutcome(long value) {
    producer.outcome(0, value, Native.PT_RESULT_APPLIED);
    producer.with(OutcomeLayout.RIP, value).with(OutcomeLayout.REPLIED_NS, value).publish();
  }

  @Test
  void aCopyOutlivesItsSlot() {
    publishOutcome(11);
    StreamRecord copy = provider.get(1);
    for (int i = 0; i < Native.PT_SLOT_COUNT; i++) {
      publishOutcome(99);
    }
    assertEquals(Native.PT_RECORD_OUTCOME, copy.kind());
    assertEquals(11, copy.outcome().rip());
    assertEquals(0, provider.lost());
  }

  @Test
  void aLapIsSeenAndCounted() {
    for (int i = 0; i <= Native.PT_SLOT_COUNT; i++) {
      publishOutcome(i);
    }
    assertEquals(0, provider.get(1).kind());
    assertEquals(1, provider.lost());
    assertEquals(Native.PT_RECORD_OUTCOME, provider.get(2).kind());
    assertEquals(1, provider.lost());
  }

  @Test
  void aSlotBeingWrittenIsNotRead() {
    publishOutcome(5);
    Memory.setLong(producer.streamBuffer(), Stream.slotOffset(1) + HeadLayout.SEQUENCE, 0);
    assertEquals(0, provider.get(1).kind());
    assertEquals(1, provider.lost());
  }

  @Test
  void noTornCopyIsEverKept() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    Thread writer =
        new Thread(
            () -> {
              long value = 1;
              while (!stop.get()) {
                publishOutcome(value++);
              }
            });
    writer.start();
    long kept = 0;
    Stream stream = producer.stream();
    // The oldest record is the one whose slot is written next, so that laps are bound to come; how
    // many depends on the scheduler, and the test goes on until it has seen some.
    while (kept < 50_000 || provider.lost() < 10) {
      long oldest = Math.max(1, stream.cursor() - Native.PT_SLOT_COUNT + 1);
      StreamRecord record = provider.get(oldest);
      if (record.kind() == Native.PT_RECORD_OUTCOME) {
        kept++;
        assertEquals(oldest, record.outcome().sequence());
        assertEquals(oldest, record.outcome().rip());
        assertEquals(oldest, record.outcome().repliedNanos());
      }
    }
    stop.set(true);
    writer.join();
  }
}
