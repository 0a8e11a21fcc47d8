// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

/**
 * Commands to the native side. They are carried out in order, later; each answer is delivered by
 * {@link PageTableWrites#completed} in the one ordered stream that also carries exits and outcomes.
 * For the decider thread.
 */
public interface GuestPort {
  /**
   * Protects the frame of {@code gpa} (counted), then reads {@code length} bytes at it.
   *
   * @return id of the command, above 0; negative if there is no room, and nothing was asked
   */
  long protectAndRead(long gpa, int length);

  /**
   * Reads {@code length} bytes.
   *
   * @return as {@link #protectAndRead}
   */
  long read(long gpa, int length);

  /**
   * Denies changes of the bits in {@code mask} of the 8-byte entry at {@code gpa}, on every rung of
   * the native ladder, and protects its frame as long.
   *
   * @param mask without the accessed and dirty flags; adds to what is denied already
   * @return as {@link #protectAndRead}
   */
  long deny(long gpa, long mask);

  /**
   * Lets bits change again that were denied.
   *
   * @return as {@link #protectAndRead}
   */
  long allow(long gpa, long mask);

  /**
   * Drops one protection of the frame of {@code gpa}. Never lost: where there is no room, the port
   * keeps it and asks later.
   */
  void release(long gpa);

  /** Asks for what the port kept, as far as there is room now. */
  default void flush() {}
}
