// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

/**
 * Keeps the native side's deny rules in step with what watches ask for, entry by entry. An entry
 * waits here until the port has room; one that no watch needs any more must stay what it is until
 * the native side was told, or a rule nobody knows of would be left.
 */
final class DenyRules {
  private final GuestPort port;
  private WatchedEntry first;
  private WatchedEntry last;

  DenyRules(GuestPort port) {
    this.port = port;
  }

  /** To be called where an entry became known, or the bits that are denied in it have changed. */
  void changed(WatchedEntry entry) {
    if (entry.ruleQueued || entry.denied == entry.enforced || !entry.known()) {
      return;
    }
    entry.ruleQueued = true;
    if (first == null) {
      first = entry;
    } else {
      last.nextRule = entry;
    }
    last = entry;
  }

  /** True while the entry cannot be forgotten. */
  static boolean needs(WatchedEntry entry) {
    return entry.ruleQueued || entry.enforced != 0;
  }

  boolean settled() {
    return first == null;
  }

  /**
   * Tells of the entry that waits longest, and returns it; null: none waits, or no room is left.
   */
  WatchedEntry tell() {
    WatchedEntry entry = first;
    if (entry == null || !told(entry)) {
      return null;
    }
    first = entry.nextRule;
    entry.nextRule = null;
    entry.ruleQueued = false;
    return entry;
  }

  private boolean told(WatchedEntry entry) {
    long more = entry.denied & ~entry.enforced;
    if (more != 0) {
      if (port.deny(entry.key, more) <= 0) {
        return false;
      }
      entry.enforced |= more;
    }
    long fewer = entry.enforced & ~entry.denied;
    if (fewer != 0) {
      if (port.allow(entry.key, fewer) <= 0) {
        return false;
      }
      entry.enforced &= ~fewer;
    }
    return true;
  }
}
