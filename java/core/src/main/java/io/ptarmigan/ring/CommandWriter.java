// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.CommandLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.watch.GuestPort;
import java.nio.ByteBuffer;

/**
 * Publishes commands to the native side. One thread at a time: the decider's once it runs. Command
 * numbers count from 1 in this generation; the answer is a COMPLETION record with the same number.
 */
public final class CommandWriter implements GuestPort {
  /** The ring of commands is full: try again after a completion. */
  public static final long FULL = -1;

  private static final long MOST_RANGE_BYTES = 0xFFFF_FFFFL;
  private static final int RELEASES_KEPT = 1 << 14;

  private final ByteBuffer buffer;
  private final Decisions decisions;
  private final Stream stream;
  private final NativeWake wake;
  private final DeciderLog log;
  private final long[] releases = new long[RELEASES_KEPT];
  private int firstRelease;
  private int releasesWaiting;
  private long releasesForgotten;
  private long published;

  public CommandWriter(Stream stream, Decisions decisions, NativeWake wake) {
    this(stream, decisions, wake, null);
  }

  /**
   * A writer that logs what it published, and what it had no room for.
   *
   * @param log null for none
   */
  public CommandWriter(Stream stream, Decisions decisions, NativeWake wake, DeciderLog log) {
    this.log = log;
    this.stream = stream;
    this.decisions = decisions;
    this.wake = wake;
    buffer = decisions.buffer();
  }

  /**
   * Protects a frame (counted), then reads from it.
   *
   * @param length bytes, 0 to {@link Native#PT_COMPLETION_BYTES}
   * @return the command's number or {@link #FULL}
   */
  @Override
  public long protectAndRead(long gpa, int length) {
    return publish(Native.PT_COMMAND_PROTECT_READ, gpa, length, 0);
  }

  /**
   * Reads guest memory.
   *
   * @param length bytes, 0 to {@link Native#PT_COMPLETION_BYTES}
   * @return the command's number or {@link #FULL}
   */
  @Override
  public long read(long gpa, int length) {
    return publish(Native.PT_COMMAND_READ, gpa, length, 0);
  }

  /**
   * Protects (counted) every frame of a range.
   *
   * @param length bytes, below 4 GiB
   * @return the command's number or {@link #FULL}
   */
  public long protectRange(long gpa, long length) {
    if (length < 0 || length > MOST_RANGE_BYTES) {
      throw new IllegalArgumentException("a range of " + length + " bytes");
    }
    return publish(Native.PT_COMMAND_PROTECT_RANGE, gpa, (int) length, 0);
  }

  /**
   * Denies changes of bits of an 8-byte entry.
   *
   * @return the command's number or {@link #FULL}
   */
  @Override
  public long deny(long gpa, long mask) {
    return publish(Native.PT_COMMAND_DENY, gpa, Long.BYTES, mask);
  }

  /**
   * Lets bits of an 8-byte entry change again.
   *
   * @return the command's number or {@link #FULL}
   */
  @Override
  public long allow(long gpa, long mask) {
    return publish(Native.PT_COMMAND_ALLOW, gpa, Long.BYTES, mask);
  }

  /**
   * Drops one protection of a frame, now or, where the ring is full, with a later {@link #flush}.
   * Where too many wait already the frame stays protected, which costs exits and nothing else.
   */
  @Override
  public void release(long gpa) {
    if (releasesWaiting == 0 && publish(Native.PT_COMMAND_RELEASE, gpa, 0, 0) != FULL) {
      return;
    }
    if (releasesWaiting == RELEASES_KEPT) {
      releasesForgotten++;
      return;
    }
    releases[(firstRelease + releasesWaiting) & (RELEASES_KEPT - 1)] = gpa;
    releasesWaiting++;
  }

  @Override
  public void flush() {
    while (releasesWaiting > 0
        && publish(Native.PT_COMMAND_RELEASE, releases[firstRelease], 0, 0) != FULL) {
      firstRelease = (firstRelease + 1) & (RELEASES_KEPT - 1);
      releasesWaiting--;
    }
  }

  /** Releases that were never published, because too many waited. */
  public long releasesForgotten() {
    return releasesForgotten;
  }

  /** Commands published in this generation. */
  public long published() {
    return published;
  }

  private long publish(int kind, long gpa, int length, long mask) {
    if (published - stream.commandsDone() >= Native.PT_COMMAND_COUNT) {
      if (log != null) {
        log.refused();
      }
      return FULL;
    }
    long number = published + 1;
    int slot = Decisions.commandOffset(number);
    Memory.setLong(buffer, slot + CommandLayout.ID, number);
    Memory.setInt(buffer, slot + CommandLayout.KIND, kind);
    Memory.setInt(buffer, slot + CommandLayout.LENGTH, length);
    Memory.setLong(buffer, slot + CommandLayout.GPA, gpa);
    Memory.setLong(buffer, slot + CommandLayout.MASK, mask);
    published = number;
    decisions.commandsPublished(number);
    wake.published();
    if (log != null) {
      log.commanded(buffer, slot);
    }
    return number;
  }
}
