// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.watch.GuestPort;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The commands of a replayed decider. One goes through when the recorded decider sent the same as
 * its next; else there is no room for it yet, so that they are asked for in the recorded order also
 * where that was a matter of how fast the native side made room.
 */
final class ReplayPort implements GuestPort {
  private static final long NO_ROOM = -1;

  private final Deque<Moment.Command> recorded = new ArrayDeque<>();
  private final Deque<Long> releases = new ArrayDeque<>();
  private Moment.Command refused;
  private boolean mayWait;

  /** Takes what the recorded decider sent in a moment. */
  void begin(Moment moment) {
    recorded.clear();
    for (Moment.Command command : moment.commands) {
      if (command.kind() != Native.PT_COMMAND_PROTECT_RANGE) { // the monitor's own, as it starts
        recorded.add(command);
      }
    }
    mayWait |= moment.refused;
  }

  /** Forgets what found no room, before the last attempt of a moment. */
  void beginLastAttempt() {
    refused = null;
  }

  /** What differs from the recorded commands after the last attempt of a moment; null if none. */
  String difference() {
    if (!recorded.isEmpty()) {
      return "recorded " + text(recorded.peek()) + ", which the replay does not send";
    }
    if (refused == null) {
      mayWait = false;
    } else if (!mayWait) {
      return "the replay sends " + text(refused) + ", which is not recorded";
    }
    return null;
  }

  private static String text(Moment.Command command) {
    return String.format(
        "command %s of %d bytes at gpa 0x%x, mask 0x%x",
        Names.command(command.kind()), command.length(), command.gpa(), command.mask());
  }

  private long attempt(int kind, long gpa, int length, long mask) {
    Moment.Command next = recorded.peek();
    if (next != null
        && next.kind() == kind
        && next.gpa() == gpa
        && next.length() == length
        && next.mask() == mask) {
      recorded.remove();
      return next.id();
    }
    refused = new Moment.Command(0, kind, length, gpa, mask);
    return NO_ROOM;
  }

  @Override
  public long protectAndRead(long gpa, int length) {
    return attempt(Native.PT_COMMAND_PROTECT_READ, gpa, length, 0);
  }

  @Override
  public long read(long gpa, int length) {
    return attempt(Native.PT_COMMAND_READ, gpa, length, 0);
  }

  @Override
  public long deny(long gpa, long mask) {
    return attempt(Native.PT_COMMAND_DENY, gpa, Long.BYTES, mask);
  }

  @Override
  public long allow(long gpa, long mask) {
    return attempt(Native.PT_COMMAND_ALLOW, gpa, Long.BYTES, mask);
  }

  @Override
  public void release(long gpa) {
    releases.add(gpa);
    if (releases.size() == 1) {
      flush();
    }
  }

  @Override
  public void flush() {
    while (!releases.isEmpty()
        && attempt(Native.PT_COMMAND_RELEASE, releases.peek(), 0, 0) != NO_ROOM) {
      releases.remove();
    }
  }
}
