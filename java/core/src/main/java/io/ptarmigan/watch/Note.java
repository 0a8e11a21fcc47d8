// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.paging.Translation;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What the listeners of one address were told last, shared by the watches with the same key. The
 * decider owns it; {@link #write} is also for the observer thread.
 */
final class Note {
  static final int NO_SLOT = -1;

  private static final int IDLE = 0;
  private static final int WRITING = 1;
  private static final int GONE = 2;

  /** Which watches it is for. */
  record Key(long cr3, long address, long bits) {}

  final Key key;
  final int slot;

  /** Watches that were placed and not removed. */
  int users;

  private final Notebook notebook;
  private final AtomicInteger state = new AtomicInteger(IDLE);

  /** From an earlier JVM; null where there is none or where more was told since. */
  private Translation before;

  /** Of the copy written last; both belong to whoever is WRITING. */
  private long sequence;

  private int copy;

  /** An empty note. */
  Note(Notebook notebook, Key key, int slot) {
    this.notebook = notebook;
    this.key = key;
    this.slot = slot;
  }

  /** A note of an earlier JVM. */
  Note(Notebook notebook, Key key, int slot, int copy, long sequence, Translation before) {
    this(notebook, key, slot);
    this.copy = copy;
    this.sequence = sequence;
    this.before = before;
  }

  /** What was told before this JVM; null if nothing is known. */
  Translation before() {
    return before;
  }

  /** This JVM tells something newer. */
  void outdate() {
    before = null;
  }

  /** Takes down what was told; without a slot, or while the other thread writes, does nothing. */
  void write(Translation told) {
    if (slot == NO_SLOT || !state.compareAndSet(IDLE, WRITING)) {
      return;
    }
    copy ^= 1;
    notebook.write(this, copy, ++sequence, told);
    state.set(IDLE);
  }

  /** True if nobody writes to the slot any more, so that it can be another's. */
  boolean retire() {
    return slot != NO_SLOT && state.compareAndSet(IDLE, GONE);
  }
}
