// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

/** One level of one watch's path: which entry it goes through. */
final class Step {
  final PathWatch watch;
  final int level;

  /** Null where the path does not come down to this level. */
  WatchedEntry entry;

  Step previous;
  Step next;

  Step(PathWatch watch, int level) {
    this.watch = watch;
    this.level = level;
  }
}
