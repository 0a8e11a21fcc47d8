// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.api.TranslationChange.How;
import io.ptarmigan.api.Watches;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.x86.Effect;
import io.ptarmigan.x86.ExitState;

/**
 * The decider's view of page-table writes: judges each before it happens, takes notice of each that
 * did, and keeps the watches. All calls come from the decider thread, in the order of the stream;
 * only {@link #watches} and {@link #counters} are for any thread. Allocates when watches are placed
 * or closed, and never for a write.
 */
public final class PageTableWrites {
  /** Verdict of {@link #judge}: let it happen. */
  public static final int ALLOW = 0;

  /** Flag of the verdict: memory must stay as it is. */
  public static final int DENY = 1;

  /** Flag of the verdict: a watched translation changes, or may. */
  public static final int RELEVANT = 2;

  private static final int ENTRY_BYTES = 8;
  private static final long SET_BY_WALKER = EntryFormat.A | EntryFormat.D;

  private final WriteCounters counters = new WriteCounters();
  private final WatchedTables tables;
  private final Paths paths;
  private final WriteJudge judge;
  private final WatchRequests requests;
  private final Watches watches;

  /**
   * @param wake makes the decider call {@link #poll} soon; called by threads that place or close
   *     watches
   */
  public PageTableWrites(EntryFormat format, GuestPort port, ChangeSink sink, Runnable wake) {
    this(format, port, Notebook.none(), sink, wake, PlacingLog.NONE);
  }

  /**
   * @param notebook of what earlier JVMs told; a watch that comes into force tells what differs
   * @param wake as above
   * @param log learns which watches were taken over
   */
  public PageTableWrites(
      EntryFormat format,
      GuestPort port,
      Notebook notebook,
      ChangeSink sink,
      Runnable wake,
      PlacingLog log) {
    tables = new WatchedTables(port);
    paths = new Paths(format, tables, notebook, sink, counters, log);
    judge = new WriteJudge(format, tables, counters);
    requests = new WatchRequests(wake);
    watches = new WatchPlacing(format, requests);
  }

  /** Where any thread places watches. */
  public Watches watches() {
    return watches;
  }

  public WriteCounters counters() {
    return counters;
  }

  /**
   * Takes over watches that were placed or closed, and asks for reads that found no room before. To
   * be called before the decider waits and after it wakes.
   */
  public void poll() {
    requests.drainTo(paths);
    tables.issue();
  }

  /** True if every watch that was asked for before the last {@link #poll} is in force. */
  public boolean settled() {
    return requests.isEmpty() && tables.settled();
  }

  /** Frames that are protected, or about to be, for the sake of a watch. */
  public int protectedFrames() {
    return tables.protectedFrames();
  }

  /**
   * Judges a write that was emulated and has not happened.
   *
   * @param gpa of the access; the masks and values of {@code effect} are relative to {@code gpa &
   *     ~7}
   * @return {@link #ALLOW} or the flags {@link #DENY} and {@link #RELEVANT}
   */
  public int judge(long sequence, int vcpu, long gpa, ExitState exit, Effect effect) {
    return judge.judge(sequence, vcpu, gpa, exit, effect);
  }

  /** Takes notice of memory that changed: for every outcome with a mask, in stream order. */
  public void applied(AppliedWrite write) {
    counters.add(WriteCounters.APPLIED, 1);
    int left = write.mask();
    for (int i = 0; left != 0; i++, left >>>= ENTRY_BYTES) {
      if ((left & 0xFF) != 0) {
        update(write.gpa() + (long) i * ENTRY_BYTES, i, write);
      }
    }
    paths.settle();
    tables.issue();
  }

  private void update(long address, int index, AppliedWrite write) {
    WatchedEntry entry = tables.find(address);
    if (entry == null || !entry.known()) {
      return;
    }
    long replaced = write.replaced(index);
    long now = write.bytes(index);
    if (((entry.value ^ now) & ~SET_BY_WALKER) == 0) {
      entry.value = now;
      return;
    }
    if (((entry.value ^ replaced) & ~SET_BY_WALKER) != 0) {
      resync(entry, replaced, write);
      entry = tables.find(address);
      if (entry == null || !entry.known()) {
        return;
      }
    }
    set(entry, replaced, now, write, how(write.result()));
  }

  /** Memory was changed by something other than a write that was seen; that is told by itself. */
  private void resync(WatchedEntry entry, long found, AppliedWrite write) {
    counters.add(WriteCounters.RESYNCS, 1);
    set(entry, entry.value, found, write, How.RESYNC);
    paths.settle();
  }

  private void set(WatchedEntry entry, long old, long now, AppliedWrite write, How how) {
    entry.value = now;
    if (EntryFormat.canMatter(old, now)) {
      paths.written(entry, old, write, how);
    }
  }

  private static How how(int result) {
    switch (result) {
      case Native.PT_RESULT_STEPPED:
        return How.STEPPED;
      case Native.PT_RESULT_HV_EMULATED:
        return How.HV_EMULATED;
      default:
        return How.APPLIED;
    }
  }

  /** Takes notice of a write that was denied before it reached memory. */
  public void denied(AppliedWrite write) {
    counters.add(WriteCounters.DENIED, 1);
    int left = write.mask();
    for (int i = 0; left != 0; i++, left >>>= ENTRY_BYTES) {
      WatchedEntry entry = tables.find(write.gpa() + (long) i * ENTRY_BYTES);
      if ((left & 0xFF) != 0 && entry != null && write.replaced(i) != write.bytes(i)) {
        paths.denied(entry, write.replaced(i), write.bytes(i), write, How.DENIED);
      }
    }
  }

  /**
   * Takes notice of denied bits that were put back, or kept from being written. What else the same
   * write changed in the entry is in memory, though its own outcome is still to come.
   */
  public void lateDenied(AppliedWrite write) {
    int left = write.mask();
    for (int i = 0; left != 0; i++, left >>>= ENTRY_BYTES) {
      if ((left & 0xFF) != 0) {
        counters.add(WriteCounters.LATE_DENIED, 1);
        putBack(write.gpa() + (long) i * ENTRY_BYTES, write.replaced(i), write.bytes(i), write);
      }
    }
    paths.settle();
    tables.issue();
  }

  private void putBack(long address, long attempted, long held, AppliedWrite write) {
    WatchedEntry entry = tables.find(address);
    if (entry == null || !entry.known()) {
      return;
    }
    paths.denied(entry, held, attempted, write, How.LATE_DENIED);
    if (((entry.value ^ held) & ~SET_BY_WALKER) != 0) {
      set(entry, entry.value, held, write, How.STEPPED);
    }
  }

  /**
   * Takes the answer to a command; answers to others' commands are ignored.
   *
   * @param kind {@code enum pt_command_kind} of abi.h
   * @param status 0 or a negative errno
   * @param length bytes in {@code data}
   */
  public void completed(long id, int kind, int status, long gpa, int length, CompletionData data) {
    boolean succeeded = status >= 0 && length >= ENTRY_BYTES;
    if (kind == Native.PT_COMMAND_DENY && status < 0) {
      counters.add(WriteCounters.RULES_REFUSED, 1);
    }
    WatchedEntry entry = tables.complete(id, succeeded, data);
    if (entry != null) {
      if (entry.known() && ((entry.value ^ entry.found) & ~SET_BY_WALKER) != 0) {
        resync(entry, entry.found, UnseenWrite.INSTANCE);
      } else {
        read(entry);
      }
    }
    tables.issue();
  }

  private void read(WatchedEntry entry) {
    if (!entry.known()) {
      counters.add(WriteCounters.UNREADABLE, 1);
    }
    paths.read(entry);
    paths.settle();
  }

  /** Writes happened that nobody told. What they left in watched entries is told as it is found. */
  public void missed() {
    counters.add(WriteCounters.GAPS, 1);
    tables.readAgain();
    tables.issue();
  }
}
