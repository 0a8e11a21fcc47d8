// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.watch;

import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.NoteLayout;
import io.ptarmigan.abi.NotebookLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.paging.Translation;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What watches were told last, in memory that outlives the JVM: the next one compares it with what
 * it finds. The JVM can die between any two stores, and whatever does not make sense is taken for
 * no note. Belongs to the decider; the totals are for any thread.
 */
public final class Notebook {
  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

  private final ByteBuffer buffer;
  private final int capacity;
  private final Map<Note.Key, Note> notes = new HashMap<>();
  private final ArrayDeque<Integer> free = new ArrayDeque<>();
  private int used;

  /** Notes that no watch of this JVM has asked for. */
  private int unclaimed;

  private long changes;
  private long resyncs;

  /**
   * Reads the notes of an earlier JVM, if there are any.
   *
   * @param buffer direct; {@link Native#PT_NOTEBOOK_BYTES} bytes, or fewer for fewer notes
   */
  public Notebook(ByteBuffer buffer) {
    this.buffer = buffer;
    int room = (buffer.capacity() - Native.PT_HEADER_BYTES) / Native.PT_NOTE_BYTES;
    capacity = Math.min(room, Native.PT_NOTE_COUNT);
    if (isNotebook()) {
      used = (int) Math.max(0, Math.min(capacity, getLong(NotebookLayout.NOTES)));
      changes = getLong(NotebookLayout.CHANGES);
      resyncs = getLong(NotebookLayout.RESYNCS);
      for (int slot = 0; slot < used; slot++) {
        read(slot);
      }
    } else {
      begin();
    }
  }

  /** A notebook without a page, for watches that no other JVM takes over. */
  public static Notebook none() {
    return new Notebook(ByteBuffer.allocateDirect(Native.PT_HEADER_BYTES));
  }

  private boolean isNotebook() {
    return getLong(NotebookLayout.MAGIC) == Native.PT_ABI_MAGIC
        && Memory.getInt(buffer, NotebookLayout.VERSION) == Native.PT_ABI_VERSION
        && Memory.getInt(buffer, NotebookLayout.HEADER_BYTES) == Native.PT_HEADER_BYTES
        && Memory.getInt(buffer, NotebookLayout.NOTE_BYTES) == Native.PT_NOTE_BYTES
        && Memory.getInt(buffer, NotebookLayout.NOTE_COUNT) == Native.PT_NOTE_COUNT;
  }

  private void begin() {
    Memory.setLong(buffer, NotebookLayout.NOTES, 0);
    Memory.setLong(buffer, NotebookLayout.CHANGES, 0);
    Memory.setLong(buffer, NotebookLayout.RESYNCS, 0);
    Memory.setInt(buffer, NotebookLayout.VERSION, Native.PT_ABI_VERSION);
    Memory.setInt(buffer, NotebookLayout.HEADER_BYTES, Native.PT_HEADER_BYTES);
    Memory.setInt(buffer, NotebookLayout.NOTE_BYTES, Native.PT_NOTE_BYTES);
    Memory.setInt(buffer, NotebookLayout.NOTE_COUNT, Native.PT_NOTE_COUNT);
    Memory.setLongRelease(buffer, NotebookLayout.MAGIC, Native.PT_ABI_MAGIC);
  }

  private void read(int slot) {
    Translation[] told = {new Translation(), new Translation()};
    long[] sequence = {validCopy(slot, 0, told[0]), validCopy(slot, 1, told[1])};
    int copy = sequence[1] > sequence[0] ? 1 : 0;
    int at = copyOffset(slot, copy);
    Note.Key key =
        new Note.Key(
            getLong(at + NoteLayout.CR3),
            getLong(at + NoteLayout.GLA),
            getLong(at + NoteLayout.BITS));
    if (sequence[copy] == 0 || notes.containsKey(key)) {
      erase(slot);
      return;
    }
    notes.put(key, new Note(this, key, slot, copy, sequence[copy], told[copy]));
    unclaimed++;
  }

  /** Sequence of a copy, and what it says; 0 if it makes no sense. */
  private long validCopy(int slot, int copy, Translation told) {
    int at = copyOffset(slot, copy);
    long sequence = getLong(at + NoteLayout.SEQUENCE);
    boolean valid =
        sequence > 0
            && getLong(at + NoteLayout.CHECK) == check(at)
            && told.restore(
                Memory.getInt(buffer, at + NoteLayout.STATE),
                getLong(at + NoteLayout.EFFECTIVE),
                Memory.getInt(buffer, at + NoteLayout.LEVEL));
    return valid ? sequence : 0;
  }

  /** Of everything in a copy before the check. */
  private long check(int at) {
    long sum = MIX;
    for (int i = 0; i < NoteLayout.CHECK; i += Long.BYTES) {
      sum = (sum ^ getLong(at + i)) * MIX;
      sum ^= sum >>> 32;
    }
    return sum;
  }

  private static int copyOffset(int slot, int copy) {
    return Native.PT_HEADER_BYTES + slot * Native.PT_NOTE_BYTES + copy * NoteLayout.COPY_BYTES;
  }

  private long getLong(int offset) {
    return Memory.getLong(buffer, offset);
  }

  /** The note for a watch; has no slot where the notebook is full. Allocates. */
  Note claim(long cr3, long address, long bits) {
    Note.Key key = new Note.Key(cr3, address, bits);
    Note note = notes.get(key);
    if (note == null) {
      int slot = takeSlot();
      note = new Note(this, key, slot);
      if (slot != Note.NO_SLOT) {
        notes.put(key, note);
      }
    } else if (note.users == 0) {
      unclaimed--;
    }
    note.users++;
    return note;
  }

  /**
   * Plays an earlier JVM: watches of this key that are placed next find this. Allocates.
   *
   * @param before what was told; null for nothing
   */
  public void recall(long cr3, long address, long bits, Translation before) {
    Note.Key key = new Note.Key(cr3, address, bits);
    notes.put(key, new Note(this, key, Note.NO_SLOT, 0, 0, before));
    unclaimed++;
  }

  private int takeSlot() {
    if (free.isEmpty() && used == capacity && unclaimed > 0) {
      List<Note> unwanted = notes.values().stream().filter(note -> note.users == 0).toList();
      unwanted.forEach(this::forget);
    }
    if (!free.isEmpty()) {
      return free.pop();
    }
    if (used == capacity) {
      return Note.NO_SLOT;
    }
    Memory.setLong(buffer, NotebookLayout.NOTES, used + 1L);
    return used++;
  }

  /** A watch was removed. */
  void release(Note note) {
    if (--note.users > 0 || note.slot == Note.NO_SLOT) {
      return;
    }
    note.outdate();
    unclaimed++;
    forget(note);
  }

  /** Gives the slot to others, unless the observer writes just now: then it stays unclaimed. */
  private void forget(Note note) {
    if (note.retire()) {
      notes.remove(note.key);
      unclaimed--;
      erase(note.slot);
    }
  }

  private void erase(int slot) {
    for (int copy = 0; copy < 2; copy++) {
      Memory.setLong(buffer, copyOffset(slot, copy) + NoteLayout.SEQUENCE, 0);
    }
    free.push(slot);
  }

  /** For the note alone. Allocates nothing. */
  void write(Note note, int copy, long sequence, Translation told) {
    int at = copyOffset(note.slot, copy);
    Memory.setLong(buffer, at + NoteLayout.SEQUENCE, sequence);
    Memory.setLong(buffer, at + NoteLayout.CR3, note.key.cr3());
    Memory.setLong(buffer, at + NoteLayout.GLA, note.key.address());
    Memory.setLong(buffer, at + NoteLayout.BITS, note.key.bits());
    Memory.setLong(buffer, at + NoteLayout.EFFECTIVE, told.effective());
    Memory.setInt(buffer, at + NoteLayout.STATE, told.state());
    Memory.setInt(buffer, at + NoteLayout.LEVEL, told.pageLevel());
    Memory.setLong(buffer, at + NoteLayout.CHECK, check(at));
  }

  void countChange(boolean resync) {
    Memory.setLongOpaque(buffer, NotebookLayout.CHANGES, ++changes);
    if (resync) {
      Memory.setLongOpaque(buffer, NotebookLayout.RESYNCS, ++resyncs);
    }
  }

  /** Changes handed to listeners, by this JVM and earlier ones. */
  public long changes() {
    return Memory.getLongOpaque(buffer, NotebookLayout.CHANGES);
  }

  /** Of those, changes found in memory without having been seen as a write. */
  public long resyncs() {
    return Memory.getLongOpaque(buffer, NotebookLayout.RESYNCS);
  }
}
