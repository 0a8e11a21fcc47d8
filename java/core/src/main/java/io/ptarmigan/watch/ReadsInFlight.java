// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import java.util.Arrays;

/**
 * Reads that were asked for and are not answered, in the order of asking, which is that of the
 * answers. Grows to the most commands that were ever on the way at once, which the command ring
 * bounds.
 */
final class ReadsInFlight {
  private long[] ids = new long[512];
  private WatchedEntry[] entries = new WatchedEntry[512];
  private WatchedTable[] tables = new WatchedTable[512];
  private int head;
  private int size;
  private WatchedEntry takenEntry;
  private WatchedTable takenTable;

  boolean isEmpty() {
    return size == 0;
  }

  /**
   * @param table the table that this command protects besides, or null
   */
  void add(long id, WatchedEntry entry, WatchedTable table) {
    if (size == ids.length) {
      grow();
    }
    int at = head + size & ids.length - 1;
    ids[at] = id;
    entries[at] = entry;
    tables[at] = table;
    size++;
  }

  /** Takes the oldest read if it has this id; else the answer is not to a read of ours. */
  boolean take(long id) {
    if (size == 0 || ids[head] != id) {
      return false;
    }
    takenEntry = entries[head];
    takenTable = tables[head];
    entries[head] = null;
    tables[head] = null;
    head = head + 1 & ids.length - 1;
    size--;
    return true;
  }

  WatchedEntry takenEntry() {
    return takenEntry;
  }

  WatchedTable takenTable() {
    return takenTable;
  }

  private void grow() {
    int length = ids.length;
    long[] grownIds = Arrays.copyOf(ids, length * 2);
    WatchedEntry[] grownEntries = Arrays.copyOf(entries, length * 2);
    WatchedTable[] grownTables = Arrays.copyOf(tables, length * 2);
    for (int i = 0; i < length; i++) {
      int from = head + i & length - 1;
      grownIds[i] = ids[from];
      grownEntries[i] = entries[from];
      grownTables[i] = tables[from];
      grownEntries[i + length] = null;
    }
    ids = grownIds;
    entries = grownEntries;
    tables = grownTables;
    head = 0;
  }
}
