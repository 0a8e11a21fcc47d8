// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class IcedDecoderTest {
  private static final long MOV = 0x038948;

  private final Decoder decoder = new IcedDecoder();

  @Test
  void anInterruptOfTheThreadIsKeptAndDoesNoHarm() {
    Thread.currentThread().interrupt();
    Plan plan = decoder.decode(64, MOV, 0, 16);
    assertTrue(Thread.interrupted(), "the interrupt is somebody else's");
    assertNull(plan.refusal);
    assertEquals(Operation.MOV, plan.operation);
    assertNull(decoder.decode(64, MOV, 0, 16).refusal);
  }

  @Test
  void aCodeSizeThatDoesNotExistIsRefused() {
    assertEquals(Result.UNSUPPORTED, decoder.decode(0, MOV, 0, 16).refusal);
    assertEquals(Result.UNSUPPORTED, decoder.decode(-64, MOV, 0, 16).refusal);
  }

  @Test
  void bytesThatCouldNotBeReadDoNotCount() {
    for (int count = -1; count < 3; count++) {
      assertEquals(Result.TRUNCATED, decoder.decode(64, MOV, 0, count).refusal);
    }
    for (int count = 3; count < 20; count++) {
      assertNull(decoder.decode(64, MOV, 0, count).refusal);
    }
  }

  @Test
  void theSameBytesAreAnotherInstructionInAnotherMode() {
    Plan wide = decoder.decode(64, 0x4003_8948L, 0, 16);
    assertEquals(8, wide.size);
    Plan narrow = decoder.decode(32, 0x4003_8948L, 0, 16);
    assertEquals(Result.UNSUPPORTED, narrow.refusal); // dec eax
  }
}
