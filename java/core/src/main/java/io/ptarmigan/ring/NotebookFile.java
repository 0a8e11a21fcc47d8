// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.watch.Notebook;

/** The notebook behind an inherited descriptor. */
public final class NotebookFile {
  private NotebookFile() {}

  /**
   * Maps and reads it.
   *
   * @throws IncompatibleLayoutException where the file is shorter than a notebook
   * @throws IllegalStateException where it cannot be mapped
   */
  public static Notebook attach(int descriptor) {
    return new Notebook(SharedFile.map("notebook", descriptor, Native.PT_NOTEBOOK_BYTES, true));
  }
}
