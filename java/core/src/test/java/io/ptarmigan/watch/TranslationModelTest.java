// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.Watch;
import io.ptarmigan.paging.EntryFormat;
import io.ptarmigan.paging.PagingMode;
import io.ptarmigan.paging.Translation;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.statistics.Statistics;

/**
 * Random edits of random page tables against a naive walk of guest memory. Edits are few in kind
 * and frames are few, so that tables are shared, loop and serve at several levels all the time.
 */
class TranslationModelTest {
  private static final EntryFormat FORMAT = new EntryFormat(PagingMode.FOUR_LEVEL, 40);
  private static final long FRAMES = 8;

  /** Indexes that occur in addresses and edits; the last two share a 16-byte unit. */
  private static final int[] INDEXES = {0, 510, 511};

  private static final Bits[] SELECTIONS = {
    Bits.DEFAULT, Bits.FRAME, Bits.P, Bits.RW.with(Bits.NX), Bits.P.with(Bits.PS), Bits.PKEY
  };

  /** One edit, as numbers that a script line shows. */
  record Edit(int frame, int slot, int kind, int target, int flags, int width, int delay) {
    long gpa() {
      return (long) frame << 12 | INDEXES[slot] * 8L;
    }

    /** Mostly whole entries; halves; two entries where the second lies in the page. */
    int mask() {
      switch (width) {
        case 0:
          return 0x0F;
        case 1:
          return 0xF0;
        case 2:
          return INDEXES[slot] < 511 ? 0xFFFF : 0xFF;
        default:
          return 0xFF;
      }
    }

    FakeGuest.Store storeTo(FakeGuest guest, int vcpu) {
      return guest.store(vcpu, gpa(), mask(), entry(), entry() ^ 1L << 12);
    }

    long entry() {
      long rights = (flags & 1) << 1 | (flags & 2) << 1 | (long) (flags & 4) << 61;
      long key = (long) (flags >>> 3 & 1) << 59;
      long walker = (long) (flags >>> 4 & 3) << 5;
      long base = EntryFormat.P | rights | walker | (long) target << 12;
      switch (kind) {
        case 0:
          return base & ~EntryFormat.P;
        case 1:
          return base | EntryFormat.PS | key;
        case 2:
          return base | EntryFormat.PS | (long) target << 21 & ~0x1F_F000L | key;
        case 3:
          return base & ~0x3FFF_F000L | EntryFormat.PS | (long) target << 30;
        case 4:
          return base | 1L << 45;
        case 5:
        case 6:
          return base;
        default:
          return base | 6;
      }
    }
  }

  /** A watched address with the translation that its listener believes in. */
  private static final class Believer {
    final long root;
    final long va;
    final Bits bits;
    Watch watch;
    boolean started;
    final Translation known = new Translation();
    final List<String> told = new ArrayList<>();

    Believer(long root, long va, Bits bits) {
      this.root = root;
      this.va = va;
      this.bits = bits;
    }

    @Override
    public String toString() {
      return "watch of %x under %x (%s)".formatted(va, root, bits);
    }
  }

  /** Kind, target and rights such that most walks come to a page, and all there is occurs. */
  @Provide
  Arbitrary<List<Edit>> edits() {
    return edit().list().ofMinSize(1).ofMaxSize(120);
  }

  private static Arbitrary<Edit> edit() {
    return Combinators.combine(
            Arbitraries.integers().between(1, (int) FRAMES - 1),
            Arbitraries.integers().between(0, INDEXES.length - 1),
            Arbitraries.integers().between(0, 14),
            Arbitraries.integers().between(0, 8 * (int) FRAMES).map(n -> (n + 7) / 8),
            Arbitraries.integers().between(0, 63),
            Arbitraries.integers().between(0, 9),
            Arbitraries.integers().between(0, 7))
        .as(Edit::new);
  }

  @Property(tries = 2000, edgeCases = EdgeCasesMode.NONE)
  void eachEditAloneIsToldExactly(@ForAll("edits") List<Edit> edits, @ForAll long seed) {
    Run run = new Run(seed);
    run.placeAll();
    for (Edit edit : edits) {
      Map<Believer, Translation> before = run.walks();
      run.clearTold();
      edit.storeTo(run.guest, 0);
      run.guest.run();
      run.checkToldIs(before, edit);
      run.checkProtections();
    }
    everyCauseOccurs();
  }

  private static void everyCauseOccurs() {
    Statistics.coverage(
        coverage -> {
          for (TranslationChange.Cause cause :
              EnumSet.complementOf(EnumSet.of(TranslationChange.Cause.UNCHANGED))) {
            coverage.check(cause).count(count -> count > 0);
          }
        });
  }

  @Property(tries = 2000, edgeCases = EdgeCasesMode.NONE)
  void whateverTheDelaysTheLastTranslationToldIsTheOneInForce(
      @ForAll("edits") List<Edit> edits, @ForAll long seed) {
    Run run = new Run(seed);
    run.placeAll();
    FakeGuest.Store[] vcpus = new FakeGuest.Store[3];
    for (Edit edit : edits) {
      int vcpu = edit.delay() % vcpus.length;
      while (vcpus[vcpu] != null && !vcpus[vcpu].finished) {
        run.randomStep();
      }
      vcpus[vcpu] = edit.storeTo(run.guest, vcpu);
      for (int i = 0; i < edit.delay(); i++) {
        run.randomStep();
      }
      run.walkerSetsBits(edit);
      if ((edit.delay() & 3) == 3) {
        run.replaceOneWatch();
      }
    }
    run.guest.run();
    run.checkChains();
    run.checkProtections();
    run.closeAll();
    assertEquals(Map.of(), run.guest.protections());
    everyCauseOccurs();
  }

  /** One guest with its watches. */
  private static final class Run {
    final FakeGuest guest = new FakeGuest(FRAMES);
    final PageTableWrites writes =
        new PageTableWrites(FORMAT, guest, change -> deliver(change), () -> {});
    final List<Believer> believers = new ArrayList<>();
    final Random random;

    Run(long seed) {
      random = new Random(seed);
      guest.writes = writes;
      guest.commandRoom = 1 + random.nextInt(8);
      for (int frame = 1; frame < FRAMES; frame++) {
        for (int slot = 0; slot < INDEXES.length; slot++) {
          int target = random.nextInt((int) FRAMES);
          Edit edit = new Edit(frame, slot, random.nextInt(30), target, random.nextInt(64), 9, 0);
          guest.poke(edit.gpa(), edit.entry());
        }
      }
    }

    private static void deliver(TranslationChange change) {
      ((ChangeRecord) change).deliver();
    }

    void placeAll() {
      for (int i = 0; i < 8; i++) {
        place();
      }
      guest.run();
      assertTrue(writes.settled());
    }

    void place() {
      long va = 0;
      for (int level = 0; level < 4; level++) {
        va = va << 9 | INDEXES[random.nextInt(INDEXES.length)];
      }
      va = va << 12 << 16 >> 16;
      long root = 1 + random.nextInt(3) << 12;
      Bits bits = SELECTIONS[random.nextInt(SELECTIONS.length)];
      Believer believer = new Believer(root, va, bits);
      believer.watch = writes.watches().watch(root, va, bits, change -> tell(believer, change));
      believers.add(believer);
    }

    private void tell(Believer believer, TranslationChange change) {
      Statistics.collect(change.cause());
      believer.told.add(
          "%x/%d>%x/%d"
              .formatted(
                  change.oldFrame(),
                  change.oldPageSize(),
                  change.newFrame(),
                  change.newPageSize()));
    }

    void replaceOneWatch() {
      believers.remove(random.nextInt(believers.size())).watch.close();
      place();
    }

    /** The page walker sets accessed and dirty flags behind everyone's back. */
    void walkerSetsBits(Edit edit) {
      long entry = guest.get(edit.gpa());
      if ((entry & EntryFormat.P) != 0) {
        guest.poke(edit.gpa(), entry | (long) random.nextInt(4) << 5);
      }
    }

    void closeAll() {
      believers.forEach(believer -> believer.watch.close());
      guest.run();
    }

    void clearTold() {
      believers.forEach(believer -> believer.told.clear());
    }

    void randomStep() {
      switch (random.nextInt(5)) {
        case 0:
          guest.stepCommand();
          break;
        case 1:
          guest.stepDecision();
          break;
        case 2:
          writes.poll();
          break;
        default:
          guest.stepStream();
      }
    }

    Map<Believer, Translation> walks() {
      return believers.stream().collect(Collectors.toMap(b -> b, this::walk));
    }

    /** The translation as a processor would find it, reading memory anew. */
    Translation walk(Believer believer) {
      Translation walk = new Translation();
      walk.begin(believer.root);
      for (int level = 4; level >= 1; level--) {
        long at = FORMAT.entryAddress(level, walk.nextTable(), believer.va);
        if (at >>> 12 >= FRAMES) {
          walk.unreadable();
          return walk;
        }
        if (!walk.descend(FORMAT, level, guest.get(at), believer.va)) {
          return walk;
        }
      }
      return walk;
    }

    /** Exactly the watches whose translation differs were told, once, what it was and is. */
    void checkToldIs(Map<Believer, Translation> before, Edit edit) {
      for (Believer believer : believers) {
        Translation old = before.get(believer);
        Translation now = walk(believer);
        if (!believer.started) {
          believer.known.set(old);
          believer.started = true;
        }
        boolean differs = believer.known.differs(now, believer.bits.mask());
        List<String> expected =
            differs ? List.of(text(believer.known) + ">" + text(now)) : List.of();
        assertEquals(expected, believer.told, () -> believer + " after " + edit);
        if (now.supersedes(believer.bits.mask())) {
          believer.known.set(now);
        }
      }
    }

    private static String text(Translation translation) {
      switch (translation.state()) {
        case Translation.MAPPED:
          return "%x/%d".formatted(translation.frame(), FORMAT.pageBytes(translation.pageLevel()));
        case Translation.NOT_MAPPED:
          return "%x/0".formatted(TranslationChange.NO_FRAME);
        default:
          return "%x/0".formatted(TranslationChange.UNKNOWN_FRAME);
      }
    }

    /**
     * Each change begins where the one before ended, and the last ends at what memory says; nobody
     * is behind.
     */
    void checkChains() {
      for (Believer believer : believers) {
        if (believer.bits.has(Bits.DEFAULT)) {
          checkChain(believer);
        }
        Translation known = ((PathWatch) believer.watch).told;
        Translation now = walk(believer);
        assertEquals(
            false, known.differs(now, believer.bits.mask()), () -> believer + " is behind");
      }
    }

    private void checkChain(Believer believer) {
      String at = null;
      for (String change : believer.told) {
        String[] ends = change.split(">");
        if (at != null) {
          assertEquals(at, ends[0], () -> believer + " " + believer.told);
        }
        at = ends[1];
      }
      if (at != null) {
        assertEquals(text(walk(believer)), at, () -> believer + " " + believer.told);
      }
    }

    /** Protected are the readable tables that a walk of some watch goes through, once each. */
    void checkProtections() {
      Map<Long, Integer> needed = new TreeMap<>();
      for (Believer believer : believers) {
        Translation walk = new Translation();
        walk.begin(believer.root);
        for (int level = 4; level >= 1; level--) {
          long at = FORMAT.entryAddress(level, walk.nextTable(), believer.va);
          if (at >>> 12 >= FRAMES) {
            break;
          }
          needed.put(at >>> 12, 1);
          if (!walk.descend(FORMAT, level, guest.get(at), believer.va)) {
            break;
          }
        }
      }
      assertEquals(needed, guest.protections());
    }
  }
}
