// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.ptarmigan.abi.CommandLayout;
import io.ptarmigan.abi.generated.Native;
import org.junit.jupiter.api.Test;

class CommandWriterTest {
  private final StreamProducer producer = new StreamProducer();
  private final CommandWriter commands =
      new CommandWriter(producer.stream(), producer.decisions(), producer.wake());

  @Test
  void aCommandArrives() {
    long number = commands.protectRange(0x123000, 0xFFFF_F000L);
    assertEquals(number, producer.commandsPublished());
    assertEquals(number, producer.commandLong(number, CommandLayout.ID));
    assertEquals(Native.PT_COMMAND_PROTECT_RANGE, producer.commandInt(number, CommandLayout.KIND));
    assertEquals(0xFFFF_F000, producer.commandInt(number, CommandLayout.LENGTH));
    assertEquals(0x123000, producer.commandLong(number, CommandLayout.GPA));
  }

  @Test
  void aRuleArrivesAndItsMaskIsNobodyElses() {
    for (int i = 0; i < Native.PT_COMMAND_COUNT; i++) {
      commands.deny(0x5008, -1L);
      producer.completeNext();
    }
    long number = commands.allow(0x5010, 0x8000_0000_0000_0002L);
    assertEquals(Native.PT_COMMAND_ALLOW, producer.commandInt(number, CommandLayout.KIND));
    assertEquals(8, producer.commandInt(number, CommandLayout.LENGTH));
    assertEquals(0x5010, producer.commandLong(number, CommandLayout.GPA));
    assertEquals(0x8000_0000_0000_0002L, producer.commandLong(number, CommandLayout.MASK));
    number = commands.read(0x1000, 8);
    assertEquals(0, producer.commandLong(number, CommandLayout.MASK));
  }

  @Test
  void aFullRingRefusesUntilOneIsDone() {
    for (int i = 1; i <= Native.PT_COMMAND_COUNT; i++) {
      assertEquals(i, commands.read(0x1000, 8));
    }
    assertEquals(CommandWriter.FULL, commands.protectAndRead(0x1000, 8));
    assertEquals(Native.PT_COMMAND_COUNT, producer.commandsPublished());
    producer.completeNext();
    assertEquals(Native.PT_COMMAND_COUNT + 1, commands.protectAndRead(0x1000, 8));
  }

  @Test
  void releasesWaitForRoomAndKeepTheirOrder() {
    for (int i = 0; i < Native.PT_COMMAND_COUNT; i++) {
      commands.read(0x1000, 8);
    }
    commands.release(0xA000);
    commands.release(0xB000);
    assertEquals(Native.PT_COMMAND_COUNT, producer.commandsPublished());
    producer.completeNext();
    commands.flush();
    producer.completeNext();
    commands.release(0xC000);
    commands.flush();
    long newest = producer.commandsPublished();
    assertEquals(Native.PT_COMMAND_COUNT + 2, newest);
    assertEquals(0xA000, producer.commandLong(newest - 1, CommandLayout.GPA));
    assertEquals(0xB000, producer.commandLong(newest, CommandLayout.GPA));
    producer.completeNext();
    commands.flush();
    assertEquals(0xC000, producer.commandLong(producer.commandsPublished(), CommandLayout.GPA));
  }

  @Test
  void tooManyReleasesAreCounted() {
    for (int i = 0; i < Native.PT_COMMAND_COUNT; i++) {
      commands.read(0x1000, 8);
    }
    for (int i = 0; i < (1 << 14) + 3; i++) {
      commands.release(0xA000);
    }
    assertEquals(3, commands.releasesForgotten());
  }
}
