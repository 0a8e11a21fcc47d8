// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

/** A frame that is protected because it holds watched entries; its key is the frame number. */
final class WatchedTable extends LongIndex.Node<WatchedTable> {
  /** Not asked for, or refused. */
  static final int UNPROTECTED = 0;

  /** The command is on its way. */
  static final int ASKED = 1;

  static final int PROTECTED = 2;

  /** Watched entries that it holds. */
  int entries;

  int state;

  WatchedTable nextFree;

  void open(long frame) {
    key = frame;
    entries = 0;
    state = UNPROTECTED;
  }
}
