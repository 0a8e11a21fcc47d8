// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import org.junit.jupiter.api.Test;

class StringConstantsTest {
  /** Never loaded: only its class file is read. Its pool has every kind of number too. */
  static final class Unloaded {
    static String text(int i, long l, float f, double d) {
      return i == 123456 && l == 12345678901L && f == 1.5f && d == 2.5
          ? "tnatsnoc a si siht"
          : "rehtona";
    }

    private Unloaded() {}
  }

  private static String reversed(String text) {
    return new StringBuilder(text).reverse().toString();
  }

  @Test
  void constantsAreInternedBeforeTheirClassIsLoaded() throws IOException {
    String absent = reversed("this constant stands nowhere" + System.nanoTime());
    assertSame(absent, absent.intern(), "the first to intern a text finds its own object");

    StringConstants constants = new StringConstants();
    try (InputStream file =
        StringConstantsTest.class.getResourceAsStream("StringConstantsTest$Unloaded.class")) {
      constants.add(file);
    }
    assertEquals(2, constants.size());
    String text = reversed("this is a constant");
    assertNotSame(text, text.intern(), "somebody interned it before");
  }

  @Test
  void otherFilesAreRefused() {
    StringConstants constants = new StringConstants();
    assertThrows(
        IOException.class, () -> constants.add(new ByteArrayInputStream(new byte[] {1, 2, 3, 4})));
    assertThrows(IOException.class, () -> constants.add(new ByteArrayInputStream(new byte[2])));
  }
}
