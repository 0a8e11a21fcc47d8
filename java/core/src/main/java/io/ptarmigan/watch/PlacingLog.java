// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.paging.Translation;

/**
 * Learns which watches the decider has, from when: placing and closing come from other threads, so
 * the stream alone does not tell. Called on the decider's thread, which may allocate then.
 */
public interface PlacingLog {
  /** Forgets. */
  PlacingLog NONE =
      new PlacingLog() {
        @Override
        public void placed(
            long number, long cr3, long address, long bits, long denied, Translation before) {}

        @Override
        public void removed(long number) {}
      };

  /**
   * A watch counts from here on.
   *
   * @param number place in the order of placement, from 1
   * @param bits that matter, in entry layout
   * @param denied bits that must not change, likewise
   * @param before what its note says of an earlier JVM; null for nothing. To be copied
   */
  void placed(long number, long cr3, long address, long bits, long denied, Translation before);

  /** A watch that was placed counts no longer. */
  void removed(long number);
}
