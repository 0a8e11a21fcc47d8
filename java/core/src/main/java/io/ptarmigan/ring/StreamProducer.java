// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.CommandLayout;
import io.ptarmigan.abi.CompletionLayout;
import io.ptarmigan.abi.Counter;
import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.DecisionsHeaderLayout;
import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.StreamHeaderLayout;
import io.ptarmigan.abi.generated.Native;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * The native side's half of the protocol of abi.h, in plain memory of this JVM: for rehearsals and
 * tests. A record is begun, its fields are set, and {@link #publish} makes it visible. One thread.
 */
public final class StreamProducer {
  public static final int GENERATION = 3;
  private static final int NO_DESCRIPTOR = -1;

  private final ByteBuffer stream = ByteBuffer.allocateDirect(Native.PT_STREAM_BYTES);
  private final ByteBuffer decisions = ByteBuffer.allocateDirect(Native.PT_DECISIONS_BYTES);
  private long cursor;
  private long commandsDone;
  private int slot;

  public StreamProducer() {
    Memory.setInt(stream, StreamHeaderLayout.HEADER_BYTES, Native.PT_HEADER_BYTES);
    Memory.setInt(stream, StreamHeaderLayout.SLOT_BYTES, Native.PT_SLOT_BYTES);
    Memory.setInt(stream, StreamHeaderLayout.SLOT_COUNT, Native.PT_SLOT_COUNT);
    Memory.setInt(stream, StreamHeaderLayout.VCPUS, 2);
    Memory.setInt(stream, StreamHeaderLayout.MAXPHYADDR, 40);
    Memory.setLong(stream, StreamHeaderLayout.DEADLINE_NS, 20_000_000);
    Memory.setInt(stream, StreamHeaderLayout.GENERATION, GENERATION);
    Memory.setInt(stream, StreamHeaderLayout.VERSION, Native.PT_ABI_VERSION);
    Memory.setLongRelease(stream, StreamHeaderLayout.MAGIC, Native.PT_ABI_MAGIC);
    Memory.setInt(decisions, DecisionsHeaderLayout.HEADER_BYTES, Native.PT_HEADER_BYTES);
    Memory.setInt(decisions, DecisionsHeaderLayout.DECISION_BYTES, Native.PT_DECISION_BYTES);
    Memory.setInt(decisions, DecisionsHeaderLayout.DECISION_COUNT, Native.PT_MAX_VCPUS);
    Memory.setInt(decisions, DecisionsHeaderLayout.COMMAND_BYTES, Native.PT_COMMAND_BYTES);
    Memory.setInt(decisions, DecisionsHeaderLayout.COMMAND_COUNT, Native.PT_COMMAND_COUNT);
    Memory.setInt(decisions, DecisionsHeaderLayout.GENERATION, GENERATION);
    Memory.setInt(decisions, DecisionsHeaderLayout.VERSION, Native.PT_ABI_VERSION);
    Memory.setLongRelease(decisions, DecisionsHeaderLayout.MAGIC, Native.PT_ABI_MAGIC);
  }

  /** The stream file's memory. */
  public ByteBuffer streamBuffer() {
    return stream;
  }

  /** The decisions file's memory. */
  public ByteBuffer decisionsBuffer() {
    return decisions;
  }

  public Stream stream() {
    return new Stream(stream.asReadOnlyBuffer());
  }

  public Decisions decisions() {
    return new Decisions(decisions, GENERATION);
  }

  /** A wake that never needs its descriptor, because this native side never sleeps. */
  public NativeWake wake() {
    return new NativeWake(stream(), NO_DESCRIPTOR);
  }

  /** Sequence of the newest record. */
  public long cursor() {
    return cursor;
  }

  /** Begins an EXIT whose instruction bytes, window and address are to be set by the caller. */
  public StreamProducer exit(int vcpu) {
    begin(Native.PT_RECORD_EXIT, vcpu);
    Memory.setLong(stream, slot + ExitLayout.FIRST, cursor + 1);
    Memory.setInt(
        stream, slot + ExitLayout.ACCESS, Native.PT_ACCESS_WRITE | Native.PT_ACCESS_GLA_VALID);
    Memory.setInt(stream, slot + ExitLayout.CODE_BITS, 64);
    Memory.setInt(stream, slot + ExitLayout.WINDOW_COUNT, Native.PT_WINDOW_BYTES);
    Memory.setInt(stream, slot + ExitLayout.INSN_COUNT, Native.PT_INSN_BYTES);
    Memory.setLong(stream, slot + ExitLayout.TAKEN_NS, System.nanoTime());
    return this;
  }

  /** Begins an OUTCOME of an exit. */
  public StreamProducer outcome(int vcpu, long exit, int result) {
    begin(Native.PT_RECORD_OUTCOME, vcpu);
    return with(OutcomeLayout.EXIT, exit)
        .with(OutcomeLayout.FIRST, exit)
        .with(OutcomeLayout.RESULT, result)
        .with(OutcomeLayout.STORES, 1);
  }

  /** Begins the COMPLETION of a command. */
  public StreamProducer completion(long command, int kind, int status, long gpa) {
    begin(Native.PT_RECORD_COMPLETION, 0);
    Memory.setLong(stream, slot + CompletionLayout.COMMAND, command);
    Memory.setInt(stream, slot + CompletionLayout.KIND, kind);
    Memory.setInt(stream, slot + CompletionLayout.STATUS, status);
    Memory.setLong(stream, slot + CompletionLayout.GPA, gpa);
    return this;
  }

  /** Begins a GAP. */
  public StreamProducer gap() {
    begin(Native.PT_RECORD_GAP, 0);
    return this;
  }

  private void begin(int kind, int vcpu) {
    slot = Stream.slotOffset(cursor + 1);
    Memory.setLongOpaque(stream, slot + HeadLayout.SEQUENCE, 0);
    VarHandle.releaseFence();
    for (int at = Long.BYTES; at < Native.PT_SLOT_BYTES; at += Long.BYTES) {
      Memory.setLong(stream, slot + at, 0);
    }
    Memory.setInt(stream, slot + HeadLayout.KIND, kind);
    Memory.setInt(stream, slot + HeadLayout.VCPU, vcpu);
  }

  /** Sets a 64-bit field of the record that was begun. */
  public StreamProducer with(int offset, long value) {
    Memory.setLong(stream, slot + offset, value);
    return this;
  }

  /** Sets a 32-bit field of the record that was begun. */
  public StreamProducer with(int offset, int value) {
    Memory.setInt(stream, slot + offset, value);
    return this;
  }

  /** Makes the record that was begun visible; its sequence. */
  public long publish() {
    Memory.setLongRelease(stream, slot + HeadLayout.SEQUENCE, cursor + 1);
    publishUpTo(cursor + 1);
    return cursor;
  }

  /**
   * Makes records visible whose slots the caller has completed in {@link #streamBuffer}, sequences
   * included.
   *
   * @param sequence of the last
   */
  public void publishUpTo(long sequence) {
    cursor = sequence;
    Memory.setLongRelease(stream, StreamHeaderLayout.CURSOR, cursor);
    VarHandle.fullFence();
    if (Memory.getIntOpaque(decisions, DecisionsHeaderLayout.JAVA_WAITING) != 0) {
      int wake = Memory.getInt(stream, StreamHeaderLayout.WAKE);
      Memory.setIntRelease(stream, StreamHeaderLayout.WAKE, wake + 1);
      stream().wakeSleepers();
    }
  }

  public void state(int state) {
    if (Memory.getLong(stream, StreamHeaderLayout.RUNNING_NS) == 0) {
      Memory.setLong(stream, StreamHeaderLayout.RUNNING_NS, System.nanoTime());
    }
    Memory.setIntRelease(stream, StreamHeaderLayout.STATE, state);
  }

  public void counter(Counter counter, long value) {
    Memory.setLongOpaque(stream, counter.offset(), value);
  }

  /** True once the decider has answered this exit. */
  public boolean decided(int vcpu, long sequence) {
    return Memory.getLongAcquire(
            decisions, Decisions.decisionOffset(vcpu) + DecisionLayout.SEQUENCE)
        == sequence;
  }

  /** Spins until the decider has answered. */
  public void awaitDecision(int vcpu, long sequence) {
    while (!decided(vcpu, sequence)) {
      Thread.onSpinWait();
    }
  }

  public int decisionInt(int vcpu, int offset) {
    return Memory.getInt(decisions, Decisions.decisionOffset(vcpu) + offset);
  }

  public long decisionLong(int vcpu, int offset) {
    return Memory.getLong(decisions, Decisions.decisionOffset(vcpu) + offset);
  }

  /**
   * Makes a record visible as it was recorded; publishes nothing to a decider that waits.
   *
   * @param record a slot's bytes, sequence included
   */
  public void replay(long sequence, ByteBuffer record) {
    stream.put(Stream.slotOffset(sequence), record, 0, Native.PT_SLOT_BYTES);
  }

  /** Copies a decision as it lies there, {@link DecisionLayout#SIZE} bytes. */
  public void copyDecision(int vcpu, ByteBuffer target) {
    target.put(0, decisions, Decisions.decisionOffset(vcpu), DecisionLayout.SIZE);
  }

  /** Puts a decision there as if it had been made, but for its sequence, which becomes 0. */
  public void setDecision(int vcpu, ByteBuffer decision) {
    int slot = Decisions.decisionOffset(vcpu);
    decisions.put(slot, decision, 0, DecisionLayout.SIZE);
    Memory.setLong(decisions, slot + DecisionLayout.SEQUENCE, 0);
  }

  /** Plays a predecessor that was done with records up to this one. */
  public void consumed(long sequence) {
    Memory.setLongRelease(decisions, DecisionsHeaderLayout.CONSUMED, sequence);
  }

  /** Spins until the decider is done with every record. */
  public void awaitConsumed() {
    while (Memory.getLongAcquire(decisions, DecisionsHeaderLayout.CONSUMED) < cursor) {
      Thread.onSpinWait();
    }
  }

  public long commandsPublished() {
    return Memory.getLongAcquire(decisions, DecisionsHeaderLayout.COMMANDS_PUBLISHED);
  }

  public int ready() {
    return Memory.getIntAcquire(decisions, DecisionsHeaderLayout.READY);
  }

  public int commandInt(long index, int offset) {
    return Memory.getInt(decisions, Decisions.commandOffset(index) + offset);
  }

  public long commandLong(long index, int offset) {
    return Memory.getLong(decisions, Decisions.commandOffset(index) + offset);
  }

  /** Publishes the completion of the next command, with status 0; its number. */
  public long completeNext() {
    long index = commandsDone + 1;
    long number = commandLong(index, CommandLayout.ID);
    completion(
            number, commandInt(index, CommandLayout.KIND), 0, commandLong(index, CommandLayout.GPA))
        .publish();
    commandsDone(index);
    return number;
  }

  /** Tells how many commands are carried out. */
  public void commandsDone(long index) {
    commandsDone = index;
    Memory.setLongRelease(stream, StreamHeaderLayout.COMMANDS_DONE, index);
  }
}
