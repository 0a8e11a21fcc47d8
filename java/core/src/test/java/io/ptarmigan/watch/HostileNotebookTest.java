// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.NotebookLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.watch.NotebookTest.Generation;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** A notebook as a JVM leaves it that died while it wrote, or that meant harm. */
class HostileNotebookTest {
  private static final int SLOTS = 2;
  private static final long THIRD = 0x77000;
  private static final String TOLD_BEFORE = "REMAPPED@1 55->77";
  private static final String TOLD_AFTER = "REMAPPED@1 66->77";

  private static ByteBuffer copyOf(ByteBuffer pages) {
    return ByteBuffer.allocateDirect(pages.capacity()).put(0, pages, 0, pages.capacity());
  }

  private static List<String> toldAfterwards(ByteBuffer pages) {
    return new Generation(pages, THIRD).watching().told();
  }

  /** Whichever stores of a change's note were made, the note is the old or the new one. */
  @Test
  void aTornNoteIsTheOneBefore() {
    ByteBuffer pages = NotebookTest.pages(SLOTS);
    Generation first = new Generation(pages, Scenario.PAGE).watching();
    ByteBuffer before = copyOf(pages);
    first.remap(Scenario.OTHER);
    List<Integer> stored = new ArrayList<>();
    for (int at = Native.PT_HEADER_BYTES; at < pages.capacity(); at += Long.BYTES) {
      if (Memory.getLong(before, at) != Memory.getLong(pages, at)) {
        stored.add(at);
      }
    }
    assertTrue(stored.size() >= 4, "sequence, key, translation and check");
    for (int subset = 0; subset < 1 << stored.size(); subset++) {
      ByteBuffer torn = copyOf(before);
      for (int i = 0; i < stored.size(); i++) {
        if ((subset >> i & 1) != 0) {
          Memory.setLong(torn, stored.get(i), Memory.getLong(pages, stored.get(i)));
        }
      }
      boolean whole = subset == (1 << stored.size()) - 1;
      assertEquals(List.of(whole ? TOLD_AFTER : TOLD_BEFORE), toldAfterwards(torn));
    }
  }

  @Test
  void aChangedByteIsNeverTakenForATranslation() {
    ByteBuffer pages = NotebookTest.pages(SLOTS);
    new Generation(pages, Scenario.PAGE).watching().remap(Scenario.OTHER);
    for (int at = Native.PT_HEADER_BYTES; at < pages.capacity(); at++) {
      ByteBuffer changed = copyOf(pages);
      changed.put(at, (byte) (changed.get(at) ^ 1 << at % 8));
      List<String> told = toldAfterwards(changed);
      assertTrue(
          told.equals(List.of(TOLD_BEFORE)) || told.equals(List.of(TOLD_AFTER)), () -> "" + told);
    }
  }

  /** Not one that looks right: its check would have to be guessed. */
  @Test
  void garbageIsNoNoteAndDoesNoHarm() {
    SplittableRandom random = new SplittableRandom(4);
    for (int round = 0; round < 2000; round++) {
      ByteBuffer pages = NotebookTest.pages(SLOTS);
      new Notebook(pages); // a sound header
      for (int at = round % 3 == 0 ? 0 : Native.PT_HEADER_BYTES; at < pages.capacity(); at++) {
        pages.put(at, (byte) random.nextInt());
      }
      if (round % 3 != 0) {
        Memory.setLong(pages, NotebookLayout.NOTES, random.nextLong());
      }
      assertEquals(List.of(), toldAfterwards(pages));
      assertEquals(
          List.of("REMAPPED@1 77->66"), new Generation(pages, Scenario.OTHER).watching().told());
    }
  }
}
