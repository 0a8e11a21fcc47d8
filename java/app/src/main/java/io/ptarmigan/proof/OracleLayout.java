// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** What the oracle says about itself when it starts: offsets of its record, pages, selectors. */
final class OracleLayout {
  private final Map<String, long[]> lines = new HashMap<>();

  final int recordBytes;

  /** Reads up to the line that gives the record's size. */
  OracleLayout(BufferedReader input) throws IOException {
    while (!lines.containsKey("record")) {
      String line = input.readLine();
      if (line == null) {
        throw new IOException("the oracle ended before it described its records");
      }
      String[] words = line.split(" ");
      long[] numbers = Arrays.stream(words).skip(1).mapToLong(Long::parseLong).toArray();
      lines.put(words[0], numbers);
    }
    recordBytes = (int) numbers("record")[0];
  }

  /** Byte offset of a field. */
  int offset(String field) {
    return (int) numbers(field)[0];
  }

  long[] numbers(String name) {
    long[] numbers = lines.get(name);
    if (numbers == null) {
      throw new IllegalStateException("the oracle knows no " + name);
    }
    return numbers;
  }
}
