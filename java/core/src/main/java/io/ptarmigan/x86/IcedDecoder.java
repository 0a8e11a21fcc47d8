// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

import io.ptarmigan.iced.IcedInstruction;

/** Decodes with iced-x86. Survives a failure of the instance inside by making a new one. */
public final class IcedDecoder implements Decoder {
  private static final int MAX_LENGTH = 15;

  private IcedInstruction instruction = new IcedInstruction();

  @Override
  public Plan decode(int bits, long low, long high, int count) {
    if (bits != 16 && bits != 32 && bits != 64) {
      return new Plan.Draft(0).refuse(Result.UNSUPPORTED, bits, low, high);
    }
    // An interrupt that arrives within the call would leave the instance unusable.
    boolean interrupted = Thread.interrupted();
    try {
      return decodeNow(bits, low, high, Math.min(count, MAX_LENGTH));
    } catch (RuntimeException e) {
      instruction = new IcedInstruction();
      return new Plan.Draft(0).refuse(Result.DECODER, bits, low, high);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private Plan decodeNow(int bits, long low, long high, int count) {
    boolean valid = instruction.decode(bits, low, high);
    int length = Math.min(instruction.length(), MAX_LENGTH); // one that goes on is invalid
    if (length > count) {
      return new Plan.Draft(length).refuse(Result.TRUNCATED, bits, low, high);
    }
    Plan.Draft draft = new Plan.Draft(Math.max(length, 1));
    if (!valid) {
      return draft.refuse(Result.INVALID, bits, low, high);
    }
    boolean known = new IcedPlanner(instruction, bits, low, high).fill(draft);
    return known ? draft.plan(bits, low, high) : draft.refuse(Result.UNSUPPORTED, bits, low, high);
  }
}
