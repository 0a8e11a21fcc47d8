// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.paging.Translation;
import io.ptarmigan.watch.PlacingLog;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * What the decider did, beside what the stream says: its decisions, its commands, the watches it
 * took over; each with the sequence of the record that it had begun last. For one {@link
 * DeciderLogReader} on another thread.
 *
 * <p>Decisions and commands go into a ring that is written after they were published, without
 * allocation, and never waits: an entry's index is 0 while it is written and stored last with
 * release, as in the stream. Decisions are one per record at most, and commands on the way at most
 * {@link Native#PT_COMMAND_COUNT}; so a reader that is not lapped by the stream is not lapped here
 * either. Watches, whose number nothing bounds and whose placing allocates anyway, go into a queue.
 *
 * <p>Written by one thread at a time: the one that starts the monitor, then the decider's.
 */
public final class DeciderLog implements PlacingLog {
  /** A decision: {@code struct pt_decision}; the record is the exit that it answers. */
  public static final int DECISION = 2;

  /** A command: {@code struct pt_command}. */
  public static final int COMMAND = 3;

  /** A command found its ring full; told once per record. Empty. */
  public static final int REFUSED = 4;

  /**
   * A watch was taken over: number, cr3, address, bits, denied bits; then state, effective bits and
   * level of what an earlier JVM told of it, state {@link Translation#UNKNOWN} for nothing. 8 bytes
   * each.
   */
  public static final int PLACED = 5;

  /** A watch was let go: its number, 8 bytes. */
  public static final int REMOVED = 6;

  /** Fields of {@link #PLACED}. */
  public static final int PLACED_LONGS = 8;

  /** Per record of the stream a decision, a command and a refusal, rounded up. */
  static final int ENTRIES = 4 * Native.PT_SLOT_COUNT;

  static final int INDEX = 0;
  static final int AT = 8;
  static final int KIND = 16;
  static final int LENGTH = 20;
  static final int PAYLOAD = 24;
  static final int MOST_PAYLOAD = Math.max(DecisionLayout.SIZE, Native.PT_COMMAND_BYTES);
  static final int ENTRY_BYTES = (PAYLOAD + MOST_PAYLOAD + 63) & -64;
  private static final int CURSOR = 0;
  private static final int HEADER_BYTES = 128;

  /**
   * A watch placed or removed.
   *
   * @param after entries written before
   * @param fields of the entry, {@link #PLACED_LONGS} or one
   */
  record Placing(long after, long at, int kind, long[] fields) {}

  final ByteBuffer buffer = ByteBuffer.allocateDirect(HEADER_BYTES + ENTRIES * ENTRY_BYTES);
  final Queue<Placing> placings = new ConcurrentLinkedQueue<>();
  private long at;
  private long refusedAt = -1;
  private long written;
  private volatile boolean stopped;

  /** The decider begins with this record, or has done with it what it did before it started. */
  public void begin(long sequence) {
    at = sequence;
  }

  /** Nobody reads any more: what follows is forgotten. Any thread. */
  void stop() {
    stopped = true;
    placings.clear();
  }

  /** A decision was published that lies here. */
  void decided(ByteBuffer decisions, int slot) {
    write(DECISION, decisions, slot, DecisionLayout.SIZE);
  }

  /** A command was published that lies here. */
  void commanded(ByteBuffer commands, int slot) {
    write(COMMAND, commands, slot, Native.PT_COMMAND_BYTES);
  }

  void refused() {
    if (refusedAt != at) {
      refusedAt = at;
      write(REFUSED, buffer, 0, 0);
    }
  }

  @Override
  public void placed(
      long number, long cr3, long address, long bits, long denied, Translation before) {
    add(
        PLACED,
        number,
        cr3,
        address,
        bits,
        denied,
        before == null ? Translation.UNKNOWN : before.state(),
        before == null ? 0 : before.effective(),
        before == null ? 0 : before.pageLevel());
  }

  @Override
  public void removed(long number) {
    add(REMOVED, number);
  }

  private void add(int kind, long... fields) {
    if (!stopped) {
      placings.add(new Placing(written, at, kind, fields));
    }
  }

  private void write(int kind, ByteBuffer source, int from, int length) {
    long index = written + 1;
    int entry = entryOffset(index);
    Memory.setLongOpaque(buffer, entry + INDEX, 0);
    VarHandle.releaseFence();
    Memory.setLong(buffer, entry + AT, at);
    Memory.setInt(buffer, entry + KIND, kind);
    Memory.setInt(buffer, entry + LENGTH, length);
    buffer.put(entry + PAYLOAD, source, from, length);
    Memory.setLongRelease(buffer, entry + INDEX, index);
    written = index;
    Memory.setLongRelease(buffer, CURSOR, index);
  }

  /** Index of the newest entry (acquire). */
  long cursor() {
    return Memory.getLongAcquire(buffer, CURSOR);
  }

  static int entryOffset(long index) {
    return HEADER_BYTES + ((int) index & (ENTRIES - 1)) * ENTRY_BYTES;
  }
}
