// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.paging.EntryFormat;

/** One level of one watch's path: which entry it goes through. */
final class Step {
  final PathWatch watch;
  final int level;

  /** Bits of the entry at this level that the watch keeps as they are. */
  final long denied;

  /** Null where the path does not come down to this level. */
  WatchedEntry entry;

  Step previous;
  Step next;

  Step(PathWatch watch, int level) {
    this.watch = watch;
    this.level = level;
    denied = level == 1 ? watch.denied & ~EntryFormat.PS : watch.denied;
  }
}
