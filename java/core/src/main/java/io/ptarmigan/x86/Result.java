// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.x86;

/** How {@link Emulator#emulate} ended: with a write, or with the reason why it leaves the exit. */
public enum Result {
  /** The effect is complete. */
  WRITE("write"),
  /** An instruction that the emulator does not know, or does not write memory. */
  UNSUPPORTED("unsupported"),
  /** Bytes that are no instruction: the processor would raise #UD. */
  INVALID("invalid"),
  /** The instruction goes on where no bytes could be read. */
  TRUNCATED("truncated"),
  /** The instruction's address is not that of the exit: it does not explain the exit. */
  ADDRESS("address"),
  /** The store leaves the bytes that the record holds: the window, or the page. */
  SPILLS("spills"),
  /** A locked access over two entries, which two swaps cannot do as one. */
  SPLIT_LOCK("split_lock"),
  /** Misaligned where the processor would fault: #GP or #AC. */
  ALIGNMENT("alignment"),
  /** A single-step trap or a breakpoint is armed, which a reply cannot raise. */
  TRAP("trap"),
  /** A call while shadow stacks or indirect-branch tracking may be on. */
  CET("cet"),
  /** The instruction's result itself is undefined (SHLD and SHRD by more than the size). */
  UNDEFINED("undefined"),
  /** The instruction pointer would leave its range: the fault is the processor's to raise. */
  RIP_RANGE("rip"),
  /** The record lacks the source bytes of an instruction that also reads memory. */
  NEEDS_SOURCE("source"),
  /** The record lacks the XMM registers. */
  NEEDS_XMM("xmm"),
  /** The record lacks the segment selectors. */
  NEEDS_SELECTOR("selector"),
  /** The decoder itself failed, for instance because the thread was interrupted. */
  DECODER("decoder");

  private final String text;

  Result(String text) {
    this.text = text;
  }

  /** Stable lower-case name, for counters and answers. */
  public String text() {
    return text;
  }
}
