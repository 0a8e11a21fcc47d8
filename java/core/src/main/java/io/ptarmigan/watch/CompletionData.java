// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

/** The bytes that a command read. Valid during the call that hands it over. */
public interface CompletionData {
  /** The 8 bytes at offset {@code 8 * index}, little-endian. */
  long entry(int index);
}
