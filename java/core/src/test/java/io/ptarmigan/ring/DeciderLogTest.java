// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.generated.Native;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DeciderLogTest {
  private final StreamProducer producer = new StreamProducer();
  private final DeciderLog log = new DeciderLog();
  private final DeciderLogReader reader = new DeciderLogReader(log);
  private final DecisionWriter decisions =
      new DecisionWriter(producer.decisions(), producer.wake(), log);
  private final CommandWriter commands =
      new CommandWriter(producer.stream(), producer.decisions(), producer.wake(), log);

  private void decide(long sequence) {
    log.begin(sequence);
    decisions.decide(0, sequence, Native.PT_ACTION_STEP, sequence);
  }

  private List<String> read(long before) {
    List<String> lines = new ArrayList<>();
    while (reader.next(before)) {
      lines.add(reader.kind() + "@" + reader.at());
    }
    return lines;
  }

  @Test
  void entriesComeInTheOrderInWhichTheyWereMadeWatchesIncluded() {
    log.begin(4);
    log.placed(1, 2, 3, 4, 5, null);
    commands.read(0x1000, 8);
    log.removed(1);
    log.placed(2, 2, 3, 4, 5, null);
    decide(5);
    commands.read(0x1000, 8);
    log.placed(3, 2, 3, 4, 5, null);
    assertEquals(List.of("5@4", "3@4", "6@4", "5@4"), read(5));
    assertEquals(List.of("2@5", "3@5", "5@5"), read(6));
    assertEquals(List.of(), read(Long.MAX_VALUE));
    assertEquals(0, reader.lost());
  }

  @Test
  void aDecisionIsLoggedAsItLies() {
    decide(7);
    assertTrue(reader.next(8));
    assertEquals(DecisionLayout.SIZE, reader.length());
    assertEquals(7, Memory.getLong(reader.payload(), DecisionLayout.SEQUENCE));
    assertEquals(Native.PT_ACTION_STEP, Memory.getInt(reader.payload(), DecisionLayout.ACTION));
  }

  @Test
  void nothingOfALaterRecordIsShown() {
    decide(8);
    assertFalse(reader.next(8));
    assertTrue(reader.next(9));
  }

  @Test
  void aFullCommandRingIsToldOncePerRecord() {
    log.begin(3);
    for (int i = 0; i < Native.PT_COMMAND_COUNT + 3; i++) {
      commands.read(0x1000, 8);
    }
    log.begin(4);
    commands.read(0x1000, 8);
    List<String> lines = read(5);
    assertEquals(Native.PT_COMMAND_COUNT + 2, lines.size());
    assertEquals(List.of("4@3", "4@4"), lines.subList(Native.PT_COMMAND_COUNT, lines.size()));
  }

  @Test
  void aLapIsSeenAndCounted() {
    int entries = DeciderLog.ENTRIES + 5;
    for (int i = 1; i <= entries; i++) {
      decide(i);
    }
    List<String> lines = read(Long.MAX_VALUE);
    assertEquals("2@" + entries, lines.get(lines.size() - 1));
    assertEquals(entries, lines.size() + reader.lost());
    assertTrue(reader.lost() >= 5 && reader.lost() < 10, reader.lost() + " lost");
  }

  @Test
  void afterAStopNothingIsKept() {
    reader.stop();
    log.placed(1, 2, 3, 4, 5, null);
    assertFalse(reader.next(Long.MAX_VALUE));
  }

  @Test
  void noTornEntryIsEverShown() throws InterruptedException {
    AtomicBoolean stop = new AtomicBoolean();
    Thread writer =
        new Thread(
            () -> {
              for (long sequence = 1; !stop.get(); sequence++) {
                decide(sequence);
              }
            });
    writer.start();
    long shown = 0;
    long last = 0;
    while (shown < 50_000 || reader.lost() < 10) {
      if (!reader.next(Long.MAX_VALUE)) {
        continue;
      }
      shown++;
      long sequence = Memory.getLong(reader.payload(), DecisionLayout.SEQUENCE);
      assertEquals(reader.at(), sequence);
      assertEquals(sequence, Memory.getLong(reader.payload(), DecisionLayout.SEEN_NS));
      assertTrue(sequence > last);
      last = sequence;
    }
    stop.set(true);
    writer.join();
  }
}
