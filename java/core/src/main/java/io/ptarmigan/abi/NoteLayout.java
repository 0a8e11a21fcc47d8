// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi;

import io.ptarmigan.abi.generated.pt_note_copy;
import org.bytedeco.javacpp.Pointer;

/** Byte offsets of {@code struct pt_note_copy}, of which a note has two. */
public final class NoteLayout {
  public static final int SEQUENCE = Offsets.of(pt_note_copy.class, "sequence");
  public static final int CR3 = Offsets.of(pt_note_copy.class, "cr3");
  public static final int GLA = Offsets.of(pt_note_copy.class, "gla");
  public static final int BITS = Offsets.of(pt_note_copy.class, "bits");
  public static final int EFFECTIVE = Offsets.of(pt_note_copy.class, "effective");
  public static final int STATE = Offsets.of(pt_note_copy.class, "state");
  public static final int LEVEL = Offsets.of(pt_note_copy.class, "level");
  public static final int CHECK = Offsets.of(pt_note_copy.class, "check");

  /** Bytes of one copy. */
  public static final int COPY_BYTES = Pointer.sizeof(pt_note_copy.class);

  private NoteLayout() {}
}
