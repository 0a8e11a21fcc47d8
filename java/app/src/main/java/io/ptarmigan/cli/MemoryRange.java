// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Guest-physical memory; length in bytes. */
record MemoryRange(long gpa, long length) {

  /** Reads {@code gpa=HEX,length=HEX}. */
  static final class Converter implements ITypeConverter<MemoryRange> {
    @Override
    public MemoryRange convert(String text) {
      try {
        OptionText option = new OptionText(text, "gpa", "length");
        return new MemoryRange(option.hex("gpa"), option.hex("length"));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
