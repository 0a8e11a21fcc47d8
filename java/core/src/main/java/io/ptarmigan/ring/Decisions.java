// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.DecisionsHeaderLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.generated.Native;
import java.nio.ByteBuffer;

/**
 * The decisions file of one JVM generation: the header that Java writes. The decider's thread is
 * its only writer once it runs; the layout stands in {@code include/ptarmigan/abi.h}.
 */
public final class Decisions {
  private static final String NAME = "decisions";

  private final ByteBuffer buffer;
  private final int generation;

  /**
   * Attaches to a decisions file in memory.
   *
   * @param buffer a direct buffer of at least {@link Native#PT_DECISIONS_BYTES} bytes
   * @param generation of this JVM; the file must be of the same
   * @throws IncompatibleLayoutException where magic, version, a size or the generation differ
   */
  public Decisions(ByteBuffer buffer, int generation) {
    verify(buffer, generation);
    this.buffer = buffer;
    this.generation = generation;
  }

  /**
   * Maps and attaches to the decisions file behind an inherited descriptor.
   *
   * @throws IncompatibleLayoutException where magic, version, a size or the generation differ
   * @throws IllegalStateException where it cannot be mapped
   */
  public static Decisions attach(int descriptor, int generation) {
    verify(SharedFile.map(NAME, descriptor, Native.PT_HEADER_BYTES, false), generation);
    return new Decisions(
        SharedFile.map(NAME, descriptor, Native.PT_DECISIONS_BYTES, true), generation);
  }

  private static void verify(ByteBuffer buffer, int generation) {
    long magic = Memory.getLongAcquire(buffer, DecisionsHeaderLayout.MAGIC);
    if (magic != Native.PT_ABI_MAGIC) {
      throw new IncompatibleLayoutException(
          "decisions: magic is " + Long.toHexString(magic) + ": not a Ptarmigan decisions file");
    }
    require(buffer, "layout version", DecisionsHeaderLayout.VERSION, Native.PT_ABI_VERSION);
    require(buffer, "header size", DecisionsHeaderLayout.HEADER_BYTES, Native.PT_HEADER_BYTES);
    require(
        buffer, "decision size", DecisionsHeaderLayout.DECISION_BYTES, Native.PT_DECISION_BYTES);
    require(buffer, "decision count", DecisionsHeaderLayout.DECISION_COUNT, Native.PT_MAX_VCPUS);
    require(buffer, "command size", DecisionsHeaderLayout.COMMAND_BYTES, Native.PT_COMMAND_BYTES);
    require(buffer, "command count", DecisionsHeaderLayout.COMMAND_COUNT, Native.PT_COMMAND_COUNT);
    require(buffer, "generation", DecisionsHeaderLayout.GENERATION, generation);
  }

  private static void require(ByteBuffer buffer, String what, int offset, int ours) {
    IncompatibleLayoutException.require(NAME, what, Memory.getInt(buffer, offset), ours);
  }

  public int generation() {
    return generation;
  }

  /** Tells the native side that the decider runs and has asked for its first protections. */
  public void ready() {
    Memory.setIntRelease(buffer, DecisionsHeaderLayout.READY, generation);
  }

  /** Sequence of the newest record that the decider is done with (acquire). */
  public long consumed() {
    return Memory.getLongAcquire(buffer, DecisionsHeaderLayout.CONSUMED);
  }

  /** Lets the native side reuse every slot up to this sequence (release). */
  void consumed(long sequence) {
    Memory.setLongRelease(buffer, DecisionsHeaderLayout.CONSUMED, sequence);
  }

  /** Says whether the decider sleeps; the caller fences. */
  void javaWaiting(boolean waiting) {
    Memory.setIntOpaque(buffer, DecisionsHeaderLayout.JAVA_WAITING, waiting ? 1 : 0);
  }

  /** Index of the newest command (release). */
  void commandsPublished(long index) {
    Memory.setLongRelease(buffer, DecisionsHeaderLayout.COMMANDS_PUBLISHED, index);
  }

  ByteBuffer buffer() {
    return buffer;
  }

  static int decisionOffset(int vcpu) {
    return Native.PT_HEADER_BYTES + vcpu * Native.PT_DECISION_BYTES;
  }

  static int commandOffset(long index) {
    return Native.PT_COMMANDS_OFFSET
        + ((int) index & (Native.PT_COMMAND_COUNT - 1)) * Native.PT_COMMAND_BYTES;
  }
}
