// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.StreamProducer;
import io.ptarmigan.ring.StreamProvider;
import java.util.List;
import org.junit.jupiter.api.Test;

class JournalTest {
  private final StreamProducer producer = new StreamProducer();
  private final StreamProvider provider = new StreamProvider(producer.stream());
  private final Journal journal = new Journal(4);

  private void take(long exit, int result, int cause) {
    producer.outcome(1, exit, result).with(OutcomeLayout.CAUSE, cause);
    producer.with(OutcomeLayout.GPA, 0x5000L).with(OutcomeLayout.MASK, 0xFF);
    producer.with(OutcomeLayout.RIP, 0xFFFF_8000_0000_1000L).with(OutcomeLayout.ROUND, 2);
    long sequence = producer.publish();
    journal.onEvent(provider.get(sequence), sequence, true);
  }

  @Test
  void theUsualIsNotWorthALine() {
    take(1, Native.PT_RESULT_APPLIED, Native.PT_CAUSE_DECIDED);
    assertEquals(0, journal.written());
  }

  @Test
  void theUnusualIsToldInWords() {
    take(7, Native.PT_RESULT_STEPPED, Native.PT_CAUSE_DEADLINE);
    assertEquals(
        List.of(
            "exit 7 vcpu 1 round 2 stepped (no decision in time) gpa 0x5000 mask 0x000000ff rip"
                + " 0xffff800000001000"),
        journal.newest(10));
  }

  @Test
  void aLateDenialIsToldInWords() {
    take(7, Native.PT_RESULT_LATE_DENIED, Native.PT_CAUSE_NO_JVM);
    assertEquals(
        "exit 7 vcpu 1 round 2 denied late (no JVM)", journal.newest(1).get(0).substring(0, 42));
  }

  @Test
  void theNewestAreKept() {
    for (int exit = 1; exit <= 6; exit++) {
      take(exit, Native.PT_RESULT_DENIED, Native.PT_CAUSE_DECIDED);
    }
    assertEquals(6, journal.written());
    assertEquals(4, journal.newest(10).size());
    assertEquals("exit 5", journal.newest(2).get(0).substring(0, 6));
    assertEquals("exit 6", journal.newest(2).get(1).substring(0, 6));
  }
}
