// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

class OptionsTest {
  @Test
  void aRangeIsTwoHexadecimalNumbers() {
    assertEquals(new MemoryRange(0x200000, 0x6f000), MemoryRange.parse("0x200000:6f000"));
  }

  @Test
  void anythingElseIsNoRange() {
    assertThrows(IllegalArgumentException.class, () -> MemoryRange.parse("200000"));
    assertThrows(IllegalArgumentException.class, () -> MemoryRange.parse("1:2:3"));
    assertThrows(IllegalArgumentException.class, () -> MemoryRange.parse("1:g"));
  }

  @Test
  void hexadecimalNumbersHaveUpTo64Bits() {
    assertEquals(-1, Hex.parse("0xFFFFFFFFFFFFFFFF"));
    assertThrows(IllegalArgumentException.class, () -> Hex.parse("10000000000000000"));
    assertThrows(IllegalArgumentException.class, () -> Hex.parse("-1"));
    assertThrows(IllegalArgumentException.class, () -> Hex.parse("0x"));
  }

  @Test
  void aRuleNamesItself() {
    NamedWatch watch = NamedWatch.parse("0x1000:0x2000,deny");
    assertEquals("0x1000:0x2000,deny", watch.name());
    assertEquals(0x2000, watch.rule().address());
  }

  @Test
  void aChannelThatIsNotThereIsNamed() {
    var missing = assertThrows(IllegalStateException.class, () -> Channel.inherited(Map.of()));
    assertTrue(missing.getMessage().contains("PTARMIGAN_STREAM_FD"), missing.getMessage());
    var wrong =
        assertThrows(
            IllegalStateException.class,
            () -> Channel.inherited(Map.of("PTARMIGAN_STREAM_FD", "three")));
    assertTrue(wrong.getMessage().contains("three"), wrong.getMessage());
  }
}
