// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi;

import io.ptarmigan.abi.generated.Native;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/** Where the fields of {@code include/ptarmigan/abi.h} lie, as its compiler laid them out. */
final class Offsets {
  static {
    Loader.load(Native.class);
  }

  private Offsets() {}

  /** Bytes from the start of the struct to its field. */
  static int of(Class<? extends Pointer> struct, String field) {
    return Pointer.offsetof(struct, field);
  }

  /** Bytes of the struct. */
  static int size(Class<? extends Pointer> struct) {
    return Pointer.sizeof(struct);
  }
}
