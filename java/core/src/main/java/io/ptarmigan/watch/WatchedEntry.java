// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

/**
 * One page-table entry in guest memory that lies on the path of a watch; its key is its
 * guest-physical address. What it means depends on the level at which a watch comes through: the
 * same entry can serve several, in a self-map even for one watch.
 */
final class WatchedEntry extends LongIndex.Node<WatchedEntry> {
  /** Waits for room to be asked for. */
  static final int QUEUED = 0;

  /** Asked for; writes until the answer are part of the answer. */
  static final int READING = 1;

  /** The frame cannot be protected or read. */
  static final int UNREADABLE = 2;

  /** {@link #value} is what memory holds, accessed and dirty flags aside. */
  static final int KNOWN = 3;

  /** It was, but writes were missed: waits for room to be asked for again. */
  static final int KNOWN_QUEUED = 4;

  /** Likewise, and asked for. */
  static final int KNOWN_READING = 5;

  WatchedTable table;
  int state;
  long value;

  /** What the last answer said. */
  long found;

  /** Command that reads it, while READING. */
  long command;

  /** Bits that must not change, for the sake of all watches through it. */
  long denied;

  /** Of those, what the native side was told to keep; not 0 only while KNOWN. */
  long enforced;

  /** Next of the entries about which the native side is to be told. */
  WatchedEntry nextRule;

  boolean ruleQueued;

  /** Steps of watches through this entry, in the order in which the watches were placed. */
  Step firstStep;

  Step lastStep;

  /** Neighbours in the order in which entries came to be watched. */
  WatchedEntry older;

  WatchedEntry younger;
  WatchedEntry previousQueued;
  WatchedEntry nextQueued;
  WatchedEntry nextFree;

  void open(long address, WatchedTable holder) {
    key = address;
    table = holder;
    state = QUEUED;
    value = 0;
    command = 0;
    denied = 0;
    enforced = 0;
  }

  /** Waits in the queue of those to be asked for. */
  boolean queued() {
    return state == QUEUED || state == KNOWN_QUEUED;
  }

  boolean known() {
    return state >= KNOWN;
  }

  /** Adds a step behind those of earlier watches; nearly always at the end. */
  void add(Step step) {
    Step before = lastStep;
    while (before != null && before.watch.order > step.watch.order) {
      before = before.previous;
    }
    denied |= step.denied;
    step.entry = this;
    step.previous = before;
    step.next = before == null ? firstStep : before.next;
    if (step.next == null) {
      lastStep = step;
    } else {
      step.next.previous = step;
    }
    if (before == null) {
      firstStep = step;
    } else {
      before.next = step;
    }
  }

  void remove(Step step) {
    if (step.previous == null) {
      firstStep = step.next;
    } else {
      step.previous.next = step.next;
    }
    if (step.next == null) {
      lastStep = step.previous;
    } else {
      step.next.previous = step.previous;
    }
    step.entry = null;
    step.previous = null;
    step.next = null;
    denied = 0;
    for (Step left = firstStep; left != null; left = left.next) {
      denied |= left.denied;
    }
  }
}
