// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import java.io.IOException;
import java.util.function.IntFunction;

/**
 * Makes a failing case smaller: zeroes what can be zero while emulator and processor still differ.
 */
final class Minimizer {
  private static final String[] GPR = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
  };
  private static final long FLAGS_AT_REST = 0x202;

  private final OracleCase exit;
  private final Rerun rerun;

  /** Runs a record again on both; returns what differs, or null. */
  interface Rerun {
    String run(int record) throws IOException;
  }

  Minimizer(OracleCase exit, Rerun rerun) {
    this.exit = exit;
    this.rerun = rerun;
  }

  /** Minimises in place; returns the difference and the case as a line for {@code emulate}. */
  String minimize(int record, int offset, String wrong) throws IOException {
    exit.at(record, offset);
    String last = wrong;
    for (int i = 0; i < GPR.length; i++) {
      int register = i;
      last = tryZero(record, last, exit.gpr(i), value -> exit.setGpr(register, value));
    }
    for (int i = 0; i < 4; i++) {
      int entry = i;
      last = tryZero(record, last, exit.window(i), value -> exit.setWindow(entry, value));
      last = tryZero(record, last, exit.source(i), value -> exit.setSource(entry, value));
    }
    long flags = exit.rflags();
    exit.setRflags(FLAGS_AT_REST);
    String still = rerun.run(record);
    if (still == null) {
      exit.setRflags(flags);
      still = rerun.run(record);
    }
    return (still == null ? last : still) + "\n" + describe();
  }

  private interface Setter {
    void set(long value);
  }

  private String tryZero(int record, String last, long value, Setter setter) throws IOException {
    setter.set(0);
    String still = rerun.run(record);
    if (still != null && kind(still).equals(kind(last))) {
      return still;
    }
    setter.set(value);
    return last;
  }

  /** A case that comes to differ in another way is another case. */
  private static String kind(String difference) {
    return difference.split(" ")[0];
  }

  private String describe() {
    StringBuilder line = new StringBuilder("bits=64 insn=");
    IntFunction<Integer> insn =
        i ->
            (int)
                ((i < 8 ? exit.instructionLow() >>> 8 * i : exit.instructionHigh() >>> 8 * (i - 8))
                    & 0xff);
    for (int i = 0; i < exit.instructionCount(); i++) {
      line.append(String.format("%02x", insn.apply(i)));
    }
    line.append(" gla=").append(hex(exit.gla())).append(" old=");
    for (int i = 0; i < 4; i++) {
      line.append(inMemory(exit.window(i)));
    }
    line.append(" rip=").append(hex(exit.rip())).append(" rflags=").append(hex(exit.rflags()));
    for (int i = 0; i < GPR.length; i++) {
      append(line, GPR[i], exit.gpr(i));
    }
    append(line, "fsbase", exit.segmentBase(4));
    append(line, "gsbase", exit.segmentBase(5));
    if (exit.sourceCount() > 0) {
      line.append(" src=");
      for (int i = 0; i < 4; i++) {
        line.append(inMemory(exit.source(i)));
      }
    }
    return line.toString();
  }

  private static void append(StringBuilder line, String key, long value) {
    if (value != 0) {
      line.append(' ').append(key).append('=').append(hex(value));
    }
  }

  private static String hex(long value) {
    return Long.toHexString(value);
  }

  private static String inMemory(long value) {
    return String.format("%016x", Long.reverseBytes(value));
  }
}
