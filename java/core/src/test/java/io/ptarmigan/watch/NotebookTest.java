// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.NotebookLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.api.Bits;
import io.ptarmigan.api.TranslationChange;
import io.ptarmigan.api.TranslationChange.How;
import io.ptarmigan.api.Watch;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Watches of one JVM after the other on the same address, with a notebook between them. */
class NotebookTest {
  private static final int SLOTS = 4;
  private static final long THIRD = 0x77000;
  private static final String NONE = "ffffffffffffffff";

  private final ByteBuffer pages = pages(SLOTS);

  static ByteBuffer pages(int slots) {
    return ByteBuffer.allocateDirect(Native.PT_HEADER_BYTES + slots * Native.PT_NOTE_BYTES);
  }

  /** A JVM that finds the address mapped to a frame, and places one watch. */
  static final class Generation extends Scenario {
    final Notebook notebook;
    boolean deaf;

    Generation(ByteBuffer pages, long frame) {
      this(new Notebook(pages), frame);
    }

    private Generation(Notebook notebook, long frame) {
      super(notebook);
      this.notebook = notebook;
      map(frame);
    }

    void map(long frame) {
      guest.poke(at(1, T1), frame == 0 ? 0 : frame | LINK);
    }

    /** The guest maps the address to another frame. */
    Generation remap(long frame) {
      store(at(1, T1), frame | LINK);
      return this;
    }

    Generation watching() {
      watch();
      return this;
    }

    @Override
    void deliver(TranslationChange change) {
      if (!deaf) {
        super.deliver(change);
      }
    }
  }

  private Generation next(long frame) {
    return new Generation(pages, frame);
  }

  @Test
  void whatChangedWhileNoJvmLookedIsToldAsResync() {
    next(Scenario.PAGE).watching().remap(Scenario.OTHER);
    Generation second = next(THIRD).watching();
    ChangeRecord change = second.changes.get(0);
    assertEquals(How.RESYNC, change.how());
    assertEquals(-1, change.vcpu());
    assertEquals(0, change.sequence());
    assertEquals(THIRD | Scenario.LINK, change.newEntry());
    assertEquals(List.of("REMAPPED@1 66->77"), second.told());
    assertEquals(1, second.notebook.resyncs());
    assertEquals(2, second.notebook.changes());
  }

  @Test
  void whatIsAsItWasToldIsSilent() {
    next(Scenario.PAGE).watching().remap(Scenario.OTHER);
    Generation second = next(Scenario.OTHER).watching();
    assertEquals(List.of(), second.told());
    second.remap(THIRD);
    assertEquals(List.of("REMAPPED@1 66->77"), second.told());
    assertEquals(List.of(), next(THIRD).watching().told());
  }

  @Test
  void whatWasFoundAndNeverToldIsComparedToo() {
    next(Scenario.PAGE).watching();
    assertEquals(List.of("REMAPPED@1 55->66"), next(Scenario.OTHER).watching().told());
    assertEquals(List.of("UNMAPPED@1 66->" + NONE), next(0).watching().told());
    assertEquals(List.of("MAPPED@1 " + NONE + "->55"), next(Scenario.PAGE).watching().told());
    assertEquals(List.of(), next(Scenario.PAGE).watching().told());
  }

  @Test
  void whatTheListenerWasNotToldTheNextJvmTells() {
    Generation first = next(Scenario.PAGE).watching();
    first.deaf = true; // it dies with the change on its way
    first.remap(Scenario.OTHER);
    assertEquals(List.of("REMAPPED@1 55->66"), next(Scenario.OTHER).watching().told());
  }

  @Test
  void anotherAddressOrSelectionOfBitsHasNoNote() {
    next(Scenario.PAGE).watching();
    Generation second = next(Scenario.OTHER);
    second.watch(Scenario.ROOT, Scenario.VA, Bits.FRAME);
    second.watch(Scenario.ROOT | 8, Scenario.VA, Bits.DEFAULT);
    second.watch(Scenario.ROOT, Scenario.VA + 1, Bits.DEFAULT);
    assertEquals(List.of(), second.told());
  }

  @Test
  void bitsThatDoNotMatterAreNotTold() {
    next(Scenario.PAGE).watch(Scenario.ROOT, Scenario.VA, Bits.RW);
    Generation second = next(Scenario.OTHER);
    second.watch(Scenario.ROOT, Scenario.VA, Bits.RW);
    assertEquals(List.of(), second.told());
  }

  /**
   * Without P an unmapped address is adopted in silence when it is mapped: from then on it counts.
   */
  @Test
  void whatWasAdoptedInSilenceIsNoted() {
    Generation first = next(0);
    first.watch(Scenario.ROOT, Scenario.VA, Bits.FRAME);
    first.remap(Scenario.PAGE);
    assertEquals(List.of(), first.told());
    Generation second = next(Scenario.OTHER);
    second.watch(Scenario.ROOT, Scenario.VA, Bits.FRAME);
    assertEquals(List.of("REMAPPED@1 55->66"), second.told());
  }

  @Test
  void aWatchThatWasClosedLeavesNoNote() {
    Generation first = next(Scenario.PAGE);
    first.watch().close();
    first.guest.run();
    assertEquals(List.of(), next(Scenario.OTHER).watching().told());
  }

  @Test
  void watchesOfOneKeyAreAllToldAndALaterOneIsNot() {
    next(Scenario.PAGE).watching();
    Generation second = next(Scenario.OTHER);
    Watch[] watches = new Watch[2];
    for (int i = 0; i < watches.length; i++) {
      watches[i] =
          second.writes.watches().watch(Scenario.ROOT, Scenario.VA, Bits.DEFAULT, second::collect);
    }
    second.guest.run();
    assertEquals(List.of("REMAPPED@1 55->66", "REMAPPED@1 55->66"), second.told());
    second.watching();
    assertEquals(List.of(), second.told());
    watches[0].close();
    second.guest.run();
    assertEquals(List.of("REMAPPED@1 66->77"), next(THIRD).watching().told());
  }

  @Test
  void aNotebookOfAnotherVersionIsEmpty() {
    next(Scenario.PAGE).watching();
    Memory.setInt(pages, NotebookLayout.VERSION, Native.PT_ABI_VERSION + 1);
    Generation second = next(Scenario.OTHER).watching();
    assertEquals(List.of(), second.told());
    assertEquals(0, second.notebook.changes());
    assertEquals(List.of("REMAPPED@1 66->77"), next(THIRD).watching().told());
  }

  @Test
  void watchesWithoutRoomAreCountedAndOthersMakeRoom() {
    Generation first = next(Scenario.PAGE);
    Watch[] watches = new Watch[SLOTS + 1];
    for (int i = 0; i < watches.length; i++) {
      watches[i] = first.watch(Scenario.ROOT, Scenario.VA + i, Bits.DEFAULT);
    }
    assertEquals(1, unnoted(first));
    watches[1].close();
    first.guest.run();
    first.watch(Scenario.ROOT, Scenario.VA + SLOTS + 1, Bits.DEFAULT);
    assertEquals(1, unnoted(first));
    Generation second = next(Scenario.OTHER);
    for (int i = 0; i < SLOTS; i++) { // nobody asks for the old ones
      second.watch(Scenario.ROOT, Scenario.VA + 100 + i, Bits.DEFAULT);
    }
    assertEquals(0, unnoted(second));
    Generation third = next(THIRD);
    third.watch(Scenario.ROOT, Scenario.VA + 100, Bits.DEFAULT);
    assertEquals(List.of("REMAPPED@1 66->77"), third.told());
  }

  private static long unnoted(Generation generation) {
    return generation.writes.counters().get(WriteCounters.UNNOTED);
  }

  @Test
  void aWriterIsNotWaitedForAndItsSlotNotTaken() {
    Notebook notebook = new Notebook(pages);
    Note note = notebook.claim(1, 2, 3);
    assertTrue(note.retire(), "as if the observer wrote just now");
    notebook.release(note);
    for (int i = 0; i < SLOTS - 1; i++) {
      assertTrue(notebook.claim(1, 100 + i, 3).slot != note.slot);
    }
    assertEquals(Note.NO_SLOT, notebook.claim(1, 99, 3).slot);
  }
}
