// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.api.TranslationChange.How;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.Translation;

/**
 * Keeps the path of every watch in step with memory, and tells when a translation differs from the
 * one told last. Entries first get their new values ({@link #touch}), then every watch through them
 * walks once ({@link #settle}), so that a write to several entries of a path, or to one entry that
 * serves two levels, is one change.
 */
final class Paths {
  private final EntryFormat format;
  private final WatchedTables tables;
  private final Notebook notebook;
  private final ChangeSink sink;
  private final WriteCounters counters;
  private final PlacingLog log;
  private final Translation walked = new Translation();
  private final ChangeRecord change;
  private PathWatch firstTouched;
  private PathWatch lastTouched;
  private long placed;

  Paths(
      EntryFormat format,
      WatchedTables tables,
      Notebook notebook,
      ChangeSink sink,
      WriteCounters counters,
      PlacingLog log) {
    this.log = log;
    this.format = format;
    this.notebook = notebook;
    this.tables = tables;
    this.sink = sink;
    this.counters = counters;
    change = new ChangeRecord(format);
  }

  /** Starts a new watch, unless it was closed meanwhile. Allocates. */
  void place(PathWatch watch) {
    if (watch.closed()) {
      return;
    }
    tables.reserve(format.levels());
    watch.order = ++placed;
    watch.note = notebook.claim(watch.cr3(), watch.address(), watch.mask);
    watch.before = watch.note.before();
    log.placed(watch.order, watch.cr3(), watch.address(), watch.mask, watch.denied, watch.before);
    counters.add(WriteCounters.WATCHES, 1);
    counters.add(WriteCounters.UNNOTED, watch.note.slot == Note.NO_SLOT ? 1 : 0);
    walk(watch);
  }

  /** Ends a watch, if it was ever placed. */
  void remove(PathWatch watch) {
    if (watch.order == 0) {
      return;
    }
    log.removed(watch.order);
    detachFrom(watch, format.levels());
    tables.unreserve(format.levels());
    notebook.release(watch.note);
    counters.add(WriteCounters.WATCHES, -1);
  }

  /** A write that happened changed an entry: its watches are to walk. */
  void written(WatchedEntry entry, long old, AppliedWrite write, How how) {
    for (Step step = entry.firstStep; step != null; step = step.next) {
      step.watch.written(step.level, old, write, how);
      touch(step.watch);
    }
  }

  /**
   * A write was denied: the watches that keep its bits are told.
   *
   * @param held what memory holds
   * @param attempted what the guest wanted to write; as {@code held} where that is not known
   */
  void denied(WatchedEntry entry, long held, long attempted, AppliedWrite write, How how) {
    long changed = held == attempted ? entry.denied : held ^ attempted;
    for (Step step = entry.firstStep; step != null; step = step.next) {
      if ((step.denied & changed) != 0) {
        change.entry(step.watch, step.level, held, attempted);
        change.unchanged(step.watch.told);
        change.origin(how, write.vcpu(), write.sequence(), write.rip());
        sink.changed(change);
      }
    }
  }

  /** An entry was read, or found unreadable: its watches are to walk. */
  void read(WatchedEntry entry) {
    for (Step step = entry.firstStep; step != null; step = step.next) {
      touch(step.watch);
    }
  }

  private void touch(PathWatch watch) {
    if (watch.touched) {
      return;
    }
    watch.touched = true;
    if (firstTouched == null) {
      firstTouched = watch;
    } else {
      lastTouched.nextTouched = watch;
    }
    lastTouched = watch;
  }

  /** Lets the touched watches walk: in the order of the entries, then of their placement. */
  void settle() {
    PathWatch watch = firstTouched;
    firstTouched = null;
    lastTouched = null;
    while (watch != null) {
      PathWatch next = watch.nextTouched;
      watch.nextTouched = null;
      watch.touched = false;
      walk(watch);
      watch = next;
    }
  }

  /** Goes down the path as far as it is known, moving steps to the entries that it now goes by. */
  private void walk(PathWatch watch) {
    Translation now = walked;
    now.begin(watch.root);
    int level = format.levels();
    boolean descends = true;
    while (descends) {
      WatchedEntry entry =
          stepTo(watch, level, format.entryAddress(level, now.nextTable(), watch.address()));
      if (entry.state == WatchedEntry.UNREADABLE) {
        now.unreadable();
        descends = false;
      } else if (entry.known()) {
        descends = now.descend(format, level, entry.value, watch.address());
      } else {
        return;
      }
      level--;
    }
    detachFrom(watch, level);
    compare(watch, now);
  }

  private WatchedEntry stepTo(PathWatch watch, int level, long address) {
    Step step = watch.steps[level];
    if (step.entry != null && step.entry.key != address) {
      detachFrom(watch, level);
    }
    if (step.entry == null) {
      tables.attach(step, address);
    }
    return step.entry;
  }

  private void detachFrom(PathWatch watch, int highest) {
    for (int level = highest; level >= 1; level--) {
      if (watch.steps[level].entry != null) {
        tables.detach(watch.steps[level]);
      }
    }
  }

  private void compare(PathWatch watch, Translation now) {
    boolean first = watch.told.state() == Translation.UNKNOWN;
    boolean recalled = first && watch.before != null;
    boolean fresh = first && !recalled;
    if (first) {
      watch.enterForce();
    }
    if (recalled) {
      watch.told.set(watch.before);
      watch.before = null;
    }
    boolean adopted = fresh || now.supersedes(watch.mask);
    boolean tell =
        fresh ? now.state() == Translation.UNREADABLE : watch.told.differs(now, watch.mask);
    if (tell && !watch.closed()) {
      describe(watch, fresh, recalled);
      tell(watch, now);
    } else if (fresh || adopted && watch.told.state() != now.state()) {
      watch.note.write(now);
    }
    if (adopted) {
      watch.told.set(now);
    }
    watch.writtenLevel = 0;
  }

  private void describe(PathWatch watch, boolean fresh, boolean recalled) {
    if (recalled) {
      int level = lowestLevel(watch);
      change.entry(watch, level, 0, watch.steps[level].entry.value);
      change.origin(How.RESYNC, -1, 0, 0);
    } else if (fresh || watch.writtenLevel == 0) {
      change.entry(watch, lowestLevel(watch), 0, 0);
      change.origin(How.PLACED, -1, 0, 0);
    } else {
      long entry = watch.steps[watch.writtenLevel].entry.value;
      change.entry(watch, watch.writtenLevel, watch.replaced, entry);
      change.origin(watch.how, watch.vcpu, watch.sequence, watch.instruction);
    }
  }

  private void tell(PathWatch watch, Translation now) {
    change.translation(watch.told, now);
    counters.add(WriteCounters.CHANGES, 1);
    notebook.countChange(change.how() == How.RESYNC);
    watch.note.outdate();
    sink.changed(change);
  }

  private static int lowestLevel(PathWatch watch) {
    int level = 1;
    while (watch.steps[level].entry == null) {
      level++;
    }
    return level;
  }
}
