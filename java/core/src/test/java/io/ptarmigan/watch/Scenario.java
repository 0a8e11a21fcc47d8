// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationListener;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.api.Watch;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.PagingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** A guest with one mapped address, its four tables, and what the watches on it were told. */
abstract class Scenario {
  static final EntryFormat FORMAT = new EntryFormat(PagingMode.FOUR_LEVEL, 46);
  static final long FRAMES = 1 << 16;
  static final long VA = 0x7f12_3456_7000L;
  static final long ROOT = 0x1000;
  static final long T3 = 0x2000;
  static final long T2 = 0x3000;
  static final long T1 = 0x4000;

  /** Second set of tables. */
  static final long U3 = 0x12000;

  static final long U2 = 0x13000;
  static final long U1 = 0x14000;
  static final long PAGE = 0x55000;
  static final long OTHER = 0x66000;
  static final long LINK = EntryFormat.P | EntryFormat.RW | EntryFormat.US;
  static final long LARGE = LINK | EntryFormat.PS;

  int wakes;
  final FakeGuest guest = new FakeGuest(FRAMES);
  final List<ChangeRecord> changes = new ArrayList<>();
  final PageTableWrites writes;

  Scenario() {
    this(Notebook.none());
  }

  Scenario(Notebook notebook) {
    writes =
        new PageTableWrites(FORMAT, guest, notebook, this::deliver, () -> wakes++, PlacingLog.NONE);
    guest.writes = writes;
    guest.poke(at(4, ROOT), T3 | LINK);
    guest.poke(at(3, T3), T2 | LINK);
    guest.poke(at(2, T2), T1 | LINK);
    guest.poke(at(1, T1), PAGE | LINK);
  }

  void deliver(TranslationChange change) {
    ChangeRecord copy = new ChangeRecord(FORMAT);
    copy.copyFrom(change);
    copy.deliver();
  }

  /** Address of the entry for VA in a table of this level. */
  static long at(int level, long table) {
    return FORMAT.entryAddress(level, table, VA);
  }

  Watch watch() {
    return watch(ROOT, VA, Bits.DEFAULT);
  }

  /** Places a watch that collects its changes, and lets it come into force. */
  Watch watch(long root, long va, Bits bits) {
    return watch(root, va, bits, change -> Verdict.ALLOW);
  }

  Watch watch(long root, long va, Bits bits, Function<TranslationChange, Verdict> before) {
    Watch watch =
        writes
            .watches()
            .watch(
                root,
                va,
                bits,
                new TranslationListener() {
                  @Override
                  public Verdict before(TranslationChange proposed) {
                    return before.apply(proposed);
                  }

                  @Override
                  public void changed(TranslationChange change) {
                    collect(change);
                  }
                });
    guest.run();
    return watch;
  }

  void collect(TranslationChange change) {
    ChangeRecord copy = new ChangeRecord(FORMAT);
    copy.copyFrom(change);
    changes.add(copy);
  }

  /** A guest store, and everything that follows from it. */
  FakeGuest.Store store(long gpa, long entry) {
    FakeGuest.Store store = guest.store(gpa, entry);
    guest.run();
    return store;
  }

  /** Short form of everything told so far, which is then forgotten. */
  List<String> told() {
    List<String> lines =
        changes.stream()
            .map(c -> "%s@%d %x->%x".formatted(c.cause(), c.level(), c.oldFrame(), c.newFrame()))
            .toList();
    changes.clear();
    return lines;
  }
}
