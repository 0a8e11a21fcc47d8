// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.api.TranslationChange.How;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.Translation;
import io.ptarmigan.x86.Effect;
import io.ptarmigan.x86.ExitState;

/**
 * Judges a write before it happens: which watched translations would it change, and does a listener
 * object. The walk goes over the values that are known, with the written bytes in their place; it
 * asks the guest nothing, so below a table that no watch goes through the result is unknown.
 */
final class WriteJudge {
  private static final int WINDOW_BYTES = 32;
  private static final int ENTRY_BYTES = 8;

  /** Flags of {@link #collect}: a watch goes through the entry; a denied bit of it would change. */
  private static final int HIT = 1;

  private static final int RULED_OUT = 2;

  private final EntryFormat format;
  private final WatchedTables tables;
  private final WriteCounters counters;
  private final Translation proposed = new Translation();
  private final ChangeRecord change;
  private PathWatch firstAffected;
  private PathWatch lastAffected;

  WriteJudge(EntryFormat format, WatchedTables tables, WriteCounters counters) {
    this.format = format;
    this.tables = tables;
    this.counters = counters;
    change = new ChangeRecord(format);
  }

  int judge(long sequence, int vcpu, long gpa, ExitState exit, Effect effect) {
    counters.add(WriteCounters.JUDGED, 1);
    long window = gpa & -ENTRY_BYTES;
    int found = 0;
    int left = effect.mask;
    for (int i = 0; left != 0; i++, left >>>= ENTRY_BYTES) {
      if ((left & 0xFF) != 0) {
        found |= collect(window, i, effect);
      }
    }
    if ((found & HIT) != 0) {
      counters.add(WriteCounters.HITS, 1);
    }
    int flags =
        (found & RULED_OUT) != 0
            ? PageTableWrites.DENY | PageTableWrites.RELEVANT
            : PageTableWrites.ALLOW;
    return firstAffected == null && flags == PageTableWrites.ALLOW
        ? flags
        : judgeAffected(flags, sequence, vcpu, window, exit.rip(), effect);
  }

  /** Lists the watches through one written entry. */
  private int collect(long window, int index, Effect effect) {
    WatchedEntry entry = tables.find(window + (long) index * ENTRY_BYTES);
    if (entry == null) {
      return 0;
    }
    long changed = effect.expected[index] ^ effect.bytes[index];
    if ((changed & entry.denied) != 0) {
      return HIT | RULED_OUT;
    }
    if (EntryFormat.canMatter(effect.expected[index], effect.bytes[index])) {
      for (Step step = entry.firstStep; step != null; step = step.next) {
        affect(step.watch, step.level, index);
      }
    }
    return HIT;
  }

  private void affect(PathWatch watch, int level, int index) {
    if (watch.affectedLevel == 0) {
      if (firstAffected == null) {
        firstAffected = watch;
      } else {
        lastAffected.nextAffected = watch;
      }
      lastAffected = watch;
    }
    if (level > watch.affectedLevel) {
      watch.affectedLevel = level;
      watch.affectedEntry = index;
    }
  }

  private int judgeAffected(
      int flags, long sequence, int vcpu, long window, long rip, Effect effect) {
    PathWatch watch = firstAffected;
    firstAffected = null;
    lastAffected = null;
    while (watch != null) {
      boolean denied = (flags & PageTableWrites.DENY) != 0;
      if (!denied && changes(watch, window, effect)) {
        flags |= PageTableWrites.RELEVANT;
        change.origin(How.PROPOSED, vcpu, sequence, rip);
        flags |= ask(watch, effect);
      }
      PathWatch next = watch.nextAffected;
      watch.nextAffected = null;
      watch.affectedLevel = 0;
      watch = next;
    }
    count(flags);
    return flags;
  }

  private void count(int flags) {
    if ((flags & PageTableWrites.RELEVANT) != 0) {
      counters.add(WriteCounters.RELEVANT, 1);
    }
    if ((flags & PageTableWrites.DENY) != 0) {
      counters.add(WriteCounters.VETOED, 1);
    }
  }

  private boolean changes(PathWatch watch, long window, Effect effect) {
    propose(watch, window, effect);
    return proposed.state() == Translation.UNKNOWN
        || watch.told.state() == Translation.UNKNOWN
        || watch.told.differs(proposed, watch.mask);
  }

  /** Walks over known values, the written ones first. Leaves UNKNOWN where one is missing. */
  private void propose(PathWatch watch, long window, Effect effect) {
    proposed.begin(watch.root);
    for (int level = format.levels(); level >= 1; level--) {
      long at = format.entryAddress(level, proposed.nextTable(), watch.address());
      long offset = at - window;
      long value;
      if (offset >= 0 && offset < WINDOW_BYTES && (effect.mask >>> (int) offset & 0xFF) != 0) {
        value = effect.bytes[(int) offset / ENTRY_BYTES];
      } else {
        WatchedEntry entry = tables.find(at);
        if (entry == null || !entry.known()) {
          if (entry != null && entry.state == WatchedEntry.UNREADABLE) {
            proposed.unreadable();
          }
          return;
        }
        value = entry.value;
      }
      if (!proposed.descend(format, level, value, watch.address())) {
        return;
      }
    }
  }

  /**
   * A watch that another thread closed is not asked, but counts until the decider takes that over.
   */
  private int ask(PathWatch watch, Effect effect) {
    if (watch.closed()) {
      return PageTableWrites.ALLOW;
    }
    int index = watch.affectedEntry;
    change.entry(watch, watch.affectedLevel, effect.expected[index], effect.bytes[index]);
    change.translation(watch.told, proposed);
    try {
      return watch.listener.before(change) == Verdict.DENY
          ? PageTableWrites.DENY
          : PageTableWrites.ALLOW;
    } catch (RuntimeException | Error failure) {
      counters.add(WriteCounters.LISTENER_FAILURES, 1);
      return PageTableWrites.ALLOW;
    }
  }
}
