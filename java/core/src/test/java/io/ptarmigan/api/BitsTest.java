// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class BitsTest {
  @Test
  void defaultLeavesOutKeyAccessedAndDirty() {
    assertFalse(Bits.DEFAULT.has(Bits.PKEY));
    assertEquals(0, Bits.DEFAULT.mask() & 0x60);
    assertEquals("p+rw+us+ps+nx+frame", Bits.DEFAULT.toString());
  }

  @Test
  void textGoesBothWays() {
    Bits bits = Bits.P.with(Bits.PKEY);
    assertEquals("p+pkey", bits.toString());
    assertEquals(bits, Bits.parse("PKEY + p"));
    assertEquals(bits.hashCode(), Bits.parse("p+pkey").hashCode());
    assertEquals(Bits.PKEY, bits.without(Bits.P));
    assertTrue(bits.has(Bits.P));
    assertFalse(Bits.P.has(bits));
    assertThrows(IllegalArgumentException.class, () -> Bits.parse("p+dirty"));
    assertThrows(IllegalArgumentException.class, () -> Bits.parse(""));
  }
}
