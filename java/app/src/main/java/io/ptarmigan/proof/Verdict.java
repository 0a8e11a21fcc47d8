// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import io.ptarmigan.x86.Effect;
import io.ptarmigan.x86.Operation;
import io.ptarmigan.x86.Result;

/** Holds the emulator's answer against what the processor did. */
final class Verdict {
  private static final long STATUS_AND_DIRECTION = 0xcd5;
  private static final int DONE = 0;
  private static final int FAULT = 1;

  private Verdict() {}

  /**
   * What is wrong, or null.
   *
   * @param undefined flags to leave out
   * @param count masked count of a shift
   */
  static String of(
      Cell cell, OracleCase exit, Result result, Effect effect, long undefined, int count) {
    if (exit.outStatus() != DONE && exit.outStatus() != FAULT) {
      return exit.outStatus() == 2
          ? "the processor wrote beside the window"
          : "the oracle refused the case";
    }
    return result == Result.WRITE
        ? ofWrite(exit, effect, undefined)
        : isRightToRefuse(cell, exit, result, count) ? null : "refused: " + result.text();
  }

  /** The refusals that a legal cell may earn, each with its own independent reason. */
  private static boolean isRightToRefuse(Cell cell, OracleCase exit, Result result, int count) {
    boolean faulted = exit.outStatus() == FAULT;
    return switch (result) {
      case SPILLS ->
          cell.offset() + cell.size() > exit.windowCount()
              && (faulted || cell.form().isRepeated() && (int) exit.gpr(1) == 0);
      case ALIGNMENT -> faulted && (exit.gla() & 15) != 0;
      case SPLIT_LOCK -> cell.isLocked() && cell.offset() + cell.size() > 8;
      case UNDEFINED ->
          (cell.form().operation == Operation.SHLD || cell.form().operation == Operation.SHRD)
              && count > 8 * cell.size();
      default -> false;
    };
  }

  private static String ofWrite(OracleCase exit, Effect effect, long undefined) {
    if (effect.rip != exit.outRip()) {
      return "rip " + hex(effect.rip) + ", processor " + hex(exit.outRip()) + signal(exit);
    }
    long flags = (effect.rflags ^ exit.outRflags()) & STATUS_AND_DIRECTION & ~undefined;
    if (flags != 0) {
      return "rflags differ in " + hex(flags) + ", processor " + hex(exit.outRflags());
    }
    for (int i = 0; i < 4; i++) {
      if (8 * i < exit.windowCount() && effect.bytes[i] != exit.outWindow(i)) {
        return "entry "
            + i
            + " is "
            + hex(effect.bytes[i])
            + ", processor "
            + hex(exit.outWindow(i));
      }
    }
    for (int i = 0; i < 16; i++) {
      long value = (effect.gprMask >> i & 1) != 0 ? effect.gpr[i] : exit.gpr(i);
      if (value != exit.outGpr(i)) {
        return "register " + i + " is " + hex(value) + ", processor " + hex(exit.outGpr(i));
      }
    }
    return null;
  }

  private static String signal(OracleCase exit) {
    return exit.outSignal() == 0 ? "" : " with signal " + exit.outSignal();
  }

  private static String hex(long value) {
    return Long.toHexString(value);
  }
}
