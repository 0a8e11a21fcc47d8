// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An option's value of the form {@code key=HEX,key=HEX,flag}. */
final class OptionText {
  private final Map<String, String> parts = new LinkedHashMap<>();

  /**
   * Takes the text apart.
   *
   * @throws IllegalArgumentException at a key that is not among {@code known}
   */
  OptionText(String text, String... known) {
    for (String part : text.split(",", -1)) {
      int equals = part.indexOf('=');
      String key = equals < 0 ? part : part.substring(0, equals);
      if (!List.of(known).contains(key)) {
        throw new IllegalArgumentException("'" + key + "' is none of " + String.join(", ", known));
      }
      parts.put(key, equals < 0 ? "" : part.substring(equals + 1));
    }
  }

  boolean has(String flag) {
    return parts.containsKey(flag);
  }

  /**
   * The value of a key.
   *
   * @throws IllegalArgumentException where it is missing or no hexadecimal number
   */
  long hex(String key) {
    String text = parts.get(key);
    if (text == null) {
      throw new IllegalArgumentException(key + "=HEX is missing");
    }
    return Hex.parse(text);
  }
}
