// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * An address to watch.
 *
 * @param deny whether every change is to be denied
 * @param name for people
 */
record WatchedAddress(long cr3, long address, boolean deny, String name) {

  /** Reads {@code cr3=HEX,va=HEX[,deny]}. */
  static final class Converter implements ITypeConverter<WatchedAddress> {
    @Override
    public WatchedAddress convert(String text) {
      try {
        OptionText option = new OptionText(text, "cr3", "va", "deny");
        long address = option.hex("va");
        return new WatchedAddress(
            option.hex("cr3"), address, option.has("deny"), "0x" + Long.toHexString(address));
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
