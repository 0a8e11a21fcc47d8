// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import java.util.Locale;

/** Hexadecimal numbers as people and the sandbox write them. */
final class Hex {
  private Hex() {}

  /**
   * Reads up to 64 bits, with or without 0x.
   *
   * @throws IllegalArgumentException at anything else
   */
  static long parse(String text) {
    String digits = text.toLowerCase(Locale.ROOT).startsWith("0x") ? text.substring(2) : text;
    try {
      return Long.parseUnsignedLong(digits, 16);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' is not a hexadecimal number", e);
    }
  }
}
