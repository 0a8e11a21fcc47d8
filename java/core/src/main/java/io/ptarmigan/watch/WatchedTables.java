// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import java.util.SplittableRandom;

/**
 * The entries that watches go through and the frames protected for them. An entry exists while a
 * step goes through it, a frame is protected while it holds an entry. Objects are reused: after
 * {@link #reserve} for all watches nothing here allocates, except when the guest has several
 * generations of tables replaced while their commands are still on the way.
 */
final class WatchedTables {
  private static final int PAGE_SHIFT = 12;
  private static final int ENTRY_BYTES = 8;

  private final GuestPort port;
  private final LongIndex<WatchedEntry> entries;
  private final LongIndex<WatchedTable> tables;
  private final ReadsInFlight inFlight = new ReadsInFlight();
  private final DenyRules rules;
  private WatchedEntry freeEntries;
  private WatchedTable freeTables;
  private WatchedEntry oldest;
  private WatchedEntry youngest;
  private WatchedEntry firstQueued;
  private WatchedEntry lastQueued;
  private int reserved;
  private int created;

  WatchedTables(GuestPort port) {
    this.port = port;
    rules = new DenyRules(port);
    SplittableRandom random = new SplittableRandom();
    entries = new LongIndex<>(random.nextLong());
    tables = new LongIndex<>(random.nextLong());
  }

  /** Makes room for so many more entries, each in a table of its own. Allocates. */
  void reserve(int more) {
    reserved += more;
    entries.reserve(reserved);
    tables.reserve(reserved);
    while (created < reserved) {
      recycle(new WatchedEntry());
      recycle(new WatchedTable());
      created++;
    }
  }

  /** Gives room back, for others to reserve. */
  void unreserve(int fewer) {
    reserved -= fewer;
  }

  /** Entries for which there are objects, used or not. */
  int created() {
    return created;
  }

  /** The entry at a guest-physical address, or null if no watch goes through it. */
  WatchedEntry find(long address) {
    return entries.get(address);
  }

  int protectedFrames() {
    return tables.size();
  }

  /** True if every entry is read or found unreadable, and every rule is asked for. */
  boolean settled() {
    return firstQueued == null && inFlight.isEmpty() && rules.settled();
  }

  /** Lets a step go through the entry at an address, which is read if it is new. */
  void attach(Step step, long address) {
    WatchedEntry entry = entries.get(address);
    if (entry == null) {
      entry = create(address);
    } else if (entry.state == WatchedEntry.UNREADABLE) {
      entry.state = WatchedEntry.QUEUED;
      enqueue(entry);
    }
    entry.add(step);
    rules.changed(entry);
  }

  private WatchedEntry create(long address) {
    WatchedTable table = tables.get(address >>> PAGE_SHIFT);
    if (table == null) {
      table = takeTable();
      table.open(address >>> PAGE_SHIFT);
      tables.put(table);
    }
    table.entries++;
    WatchedEntry entry = takeEntry();
    entry.open(address, table);
    put(entry);
    enqueue(entry);
    return entry;
  }

  /** Takes a step off its entry; the last one ends the entry, the last entry the protection. */
  void detach(Step step) {
    WatchedEntry entry = step.entry;
    entry.remove(step);
    rules.changed(entry);
    if (entry.firstStep == null && !DenyRules.needs(entry)) {
      close(entry);
    }
  }

  private void close(WatchedEntry entry) {
    if (entry.queued()) {
      dequeue(entry);
    }
    remove(entry);
    WatchedTable table = entry.table;
    recycle(entry);
    table.entries--;
    closeIfUnused(table);
  }

  /** A table whose protection is on its way is kept until it is known whether there is any. */
  private void closeIfUnused(WatchedTable table) {
    if (table.entries > 0 || table.state == WatchedTable.ASKED) {
      return;
    }
    if (table.state == WatchedTable.PROTECTED) {
      port.release(table.key << PAGE_SHIFT);
    }
    tables.remove(table);
    recycle(table);
  }

  /** Writes were missed: every entry is asked for again, and keeps its value until the answer. */
  void readAgain() {
    for (WatchedEntry entry = oldest; entry != null; entry = entry.younger) {
      if (entry.state == WatchedEntry.KNOWN) {
        entry.state = WatchedEntry.KNOWN_QUEUED;
        enqueue(entry);
      }
    }
  }

  private void put(WatchedEntry entry) {
    entries.put(entry);
    entry.older = youngest;
    if (youngest == null) {
      oldest = entry;
    } else {
      youngest.younger = entry;
    }
    youngest = entry;
  }

  private void remove(WatchedEntry entry) {
    entries.remove(entry);
    if (entry.older == null) {
      oldest = entry.younger;
    } else {
      entry.older.younger = entry.younger;
    }
    if (entry.younger == null) {
      youngest = entry.older;
    } else {
      entry.younger.older = entry.older;
    }
    entry.older = null;
    entry.younger = null;
  }

  /** Tells of rules and asks for the queued entries until the port has no room left. */
  void issue() {
    for (WatchedEntry entry = rules.tell(); entry != null; entry = rules.tell()) {
      if (entry.firstStep == null) {
        close(entry);
      }
    }
    while (firstQueued != null && ask(firstQueued)) {
      WatchedEntry entry = firstQueued;
      dequeue(entry);
      entry.state = entry.known() ? WatchedEntry.KNOWN_READING : WatchedEntry.READING;
    }
  }

  private boolean ask(WatchedEntry entry) {
    WatchedTable table = entry.table;
    boolean protects = table.state == WatchedTable.UNPROTECTED;
    long id =
        protects ? port.protectAndRead(entry.key, ENTRY_BYTES) : port.read(entry.key, ENTRY_BYTES);
    if (id <= 0) {
      return false;
    }
    if (protects) {
      table.state = WatchedTable.ASKED;
    }
    entry.command = id;
    inFlight.add(id, entry, protects ? table : null);
    return true;
  }

  /**
   * Takes the answer to a command.
   *
   * @return the entry that is now known or unreadable; null if the answer comes too late
   */
  WatchedEntry complete(long id, boolean succeeded, CompletionData data) {
    if (!inFlight.take(id)) {
      return null;
    }
    WatchedTable asked = inFlight.takenTable();
    if (asked != null) {
      asked.state = succeeded ? WatchedTable.PROTECTED : WatchedTable.UNPROTECTED;
    }
    WatchedEntry entry = inFlight.takenEntry();
    boolean again = entry.state == WatchedEntry.KNOWN_READING;
    boolean wanted = (again || entry.state == WatchedEntry.READING) && entry.command == id;
    if (wanted) {
      // A read that was asked for under a protection that failed is answered before a new one is.
      if (succeeded && entry.table.state == WatchedTable.PROTECTED) {
        entry.state = WatchedEntry.KNOWN;
        entry.found = data.entry(0);
        entry.value = again ? entry.value : entry.found;
        rules.changed(entry);
      } else {
        entry.state = WatchedEntry.UNREADABLE;
      }
    }
    if (asked != null) {
      closeIfUnused(asked);
    }
    return wanted ? entry : null;
  }

  private void enqueue(WatchedEntry entry) {
    entry.previousQueued = lastQueued;
    entry.nextQueued = null;
    if (lastQueued == null) {
      firstQueued = entry;
    } else {
      lastQueued.nextQueued = entry;
    }
    lastQueued = entry;
  }

  private void dequeue(WatchedEntry entry) {
    if (entry.previousQueued == null) {
      firstQueued = entry.nextQueued;
    } else {
      entry.previousQueued.nextQueued = entry.nextQueued;
    }
    if (entry.nextQueued == null) {
      lastQueued = entry.previousQueued;
    } else {
      entry.nextQueued.previousQueued = entry.previousQueued;
    }
    entry.previousQueued = null;
    entry.nextQueued = null;
  }

  private WatchedEntry takeEntry() {
    WatchedEntry entry = freeEntries;
    if (entry == null) {
      return new WatchedEntry();
    }
    freeEntries = entry.nextFree;
    entry.nextFree = null;
    return entry;
  }

  private WatchedTable takeTable() {
    WatchedTable table = freeTables;
    if (table == null) {
      return new WatchedTable();
    }
    freeTables = table.nextFree;
    table.nextFree = null;
    return table;
  }

  private void recycle(WatchedEntry entry) {
    entry.table = null;
    entry.state = WatchedEntry.QUEUED;
    entry.command = 0;
    entry.nextFree = freeEntries;
    freeEntries = entry;
  }

  private void recycle(WatchedTable table) {
    table.nextFree = freeTables;
    freeTables = table;
  }
}
