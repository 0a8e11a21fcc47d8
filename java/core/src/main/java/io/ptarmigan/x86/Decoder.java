// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** Turns instruction bytes into a plan. One per thread; slow and allocating. */
public interface Decoder {
  /**
   * Decodes one instruction. Never throws: what cannot be decoded becomes a plan with a refusal.
   *
   * @param bits 16, 32 or 64
   * @param low bytes 0 to 7, byte 0 lowest
   * @param high bytes 8 to 15
   * @param count bytes that are valid, 0 to 16
   */
  Plan decode(int bits, long low, long high, int count);
}
