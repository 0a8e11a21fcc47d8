// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

/** Guest-physical memory; length in bytes. */
record MemoryRange(long gpa, long length) {
  /**
   * Reads {@code GPA:LENGTH}, both hexadecimal.
   *
   * @throws IllegalArgumentException with a sentence for the user
   */
  static MemoryRange parse(String text) {
    String[] parts = text.split(":", -1);
    if (parts.length != 2) {
      throw new IllegalArgumentException("'" + text + "' is not GPA:LENGTH");
    }
    return new MemoryRange(Hex.parse(parts[0]), Hex.parse(parts[1]));
  }
}
