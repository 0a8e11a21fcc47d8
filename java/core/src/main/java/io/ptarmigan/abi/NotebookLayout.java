// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi;

import io.ptarmigan.abi.generated.pt_notebook_header;

/** Byte offsets of {@code struct pt_notebook_header}, the header of the notebook. */
public final class NotebookLayout {
  public static final int MAGIC = Offsets.of(pt_notebook_header.class, "magic");
  public static final int VERSION = Offsets.of(pt_notebook_header.class, "version");
  public static final int HEADER_BYTES = Offsets.of(pt_notebook_header.class, "header_bytes");
  public static final int NOTE_BYTES = Offsets.of(pt_notebook_header.class, "note_bytes");
  public static final int NOTE_COUNT = Offsets.of(pt_notebook_header.class, "note_count");
  public static final int NOTES = Offsets.of(pt_notebook_header.class, "notes");
  public static final int CHANGES = Offsets.of(pt_notebook_header.class, "changes");
  public static final int RESYNCS = Offsets.of(pt_notebook_header.class, "resyncs");

  private NotebookLayout() {}
}
