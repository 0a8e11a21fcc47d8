// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.Counter;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.StreamHeaderLayout;
import io.ptarmigan.abi.generated.Native;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;

/**
 * The stream file: records from the native side, read only. Its fields and who writes them stand in
 * {@code include/ptarmigan/abi.h}. All methods may be called from any thread.
 */
public final class Stream {
  private static final String NAME = "stream";
  private static final int SLOT_MASK = Native.PT_SLOT_COUNT - 1;

  private final ByteBuffer buffer;
  private final IntPointer wakeWord;

  /**
   * Attaches to a stream in memory.
   *
   * @param buffer a direct buffer of at least {@link Native#PT_STREAM_BYTES} bytes
   * @throws IncompatibleLayoutException where magic, version or a size differ
   */
  public Stream(ByteBuffer buffer) {
    verify(buffer);
    this.buffer = buffer;
    wakeWord = new IntPointer(new BytePointer(buffer).getPointer(StreamHeaderLayout.WAKE));
  }

  /**
   * Maps and attaches to the stream behind an inherited descriptor.
   *
   * @throws IncompatibleLayoutException where magic, version or a size differ
   * @throws IllegalStateException where it cannot be mapped
   */
  public static Stream attach(int descriptor) {
    verify(SharedFile.map(NAME, descriptor, Native.PT_HEADER_BYTES, false));
    return new Stream(SharedFile.map(NAME, descriptor, Native.PT_STREAM_BYTES, false));
  }

  private static void verify(ByteBuffer buffer) {
    long magic = Memory.getLongAcquire(buffer, StreamHeaderLayout.MAGIC);
    if (magic != Native.PT_ABI_MAGIC) {
      throw new IncompatibleLayoutException(
          "stream: magic is " + Long.toHexString(magic) + ": not a Ptarmigan stream");
    }
    require(buffer, "layout version", StreamHeaderLayout.VERSION, Native.PT_ABI_VERSION);
    require(buffer, "header size", StreamHeaderLayout.HEADER_BYTES, Native.PT_HEADER_BYTES);
    require(buffer, "slot size", StreamHeaderLayout.SLOT_BYTES, Native.PT_SLOT_BYTES);
    require(buffer, "slot count", StreamHeaderLayout.SLOT_COUNT, Native.PT_SLOT_COUNT);
  }

  private static void require(ByteBuffer buffer, String what, int offset, int ours) {
    IncompatibleLayoutException.require(NAME, what, Memory.getInt(buffer, offset), ours);
  }

  /** Sequence of the newest record (acquire: its fields and all before it may be read). */
  public long cursor() {
    return Memory.getLongAcquire(buffer, StreamHeaderLayout.CURSOR);
  }

  /** {@code enum pt_state}; ENDED means that no exit will follow the records published so far. */
  public int state() {
    return Memory.getIntAcquire(buffer, StreamHeaderLayout.STATE);
  }

  /** When the domain began to run, as {@link System#nanoTime}; 0 before. */
  public long runningSince() {
    return Memory.getLongOpaque(buffer, StreamHeaderLayout.RUNNING_NS);
  }

  /** JVM generation that is attached, 0 for none. */
  public int generation() {
    return Memory.getIntAcquire(buffer, StreamHeaderLayout.GENERATION);
  }

  public int vcpus() {
    return Memory.getInt(buffer, StreamHeaderLayout.VCPUS);
  }

  /** Bits of a guest-physical address, 36 to 52. */
  public int maxphyaddr() {
    return Memory.getInt(buffer, StreamHeaderLayout.MAXPHYADDR);
  }

  /** How long a paused vCPU waits for a decision, in nanoseconds. */
  public long deadlineNanos() {
    return Memory.getLong(buffer, StreamHeaderLayout.DEADLINE_NS);
  }

  /** Index of the newest command carried out in this generation. */
  public long commandsDone() {
    return Memory.getLongAcquire(buffer, StreamHeaderLayout.COMMANDS_DONE);
  }

  /** A running total; totals read one after the other need not agree with each other. */
  public long counter(Counter counter) {
    return Memory.getLongOpaque(buffer, counter.offset());
  }

  /** True while the native side sleeps; call only after a full fence. */
  boolean nativeWaiting() {
    return Memory.getIntOpaque(buffer, StreamHeaderLayout.NATIVE_WAITING) != 0;
  }

  /** The futex word that the native side raises to wake Java. */
  int wake() {
    return Memory.getIntAcquire(buffer, StreamHeaderLayout.WAKE);
  }

  /** Sleeps in the system until woken, at most this long, unless the word differs already. */
  void sleepUnlessWoken(int wakeSeen, long nanos) {
    Native.pt_futex_wait(wakeWord, wakeSeen, nanos);
  }

  /** Ends the sleep of every thread in {@link #sleepUnlessWoken}. */
  void wakeSleepers() {
    Native.pt_futex_wake(wakeWord);
  }

  ByteBuffer buffer() {
    return buffer;
  }

  /** Byte offset of the slot that holds a sequence. */
  public static int slotOffset(long sequence) {
    return Native.PT_HEADER_BYTES + ((int) sequence & SLOT_MASK) * Native.PT_SLOT_BYTES;
  }
}
