// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import io.ptarmigan.abi.generated.Native;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/** Maps inherited descriptors. A mapping lasts as long as the process: a monitor attaches once. */
final class SharedFile {
  private SharedFile() {}

  /**
   * Maps {@code bytes} bytes of a descriptor from its start.
   *
   * @throws IncompatibleLayoutException where the file is shorter: touching it would kill the JVM
   * @throws IllegalStateException where the system refuses, with its errno
   */
  static ByteBuffer map(String name, int descriptor, int bytes, boolean writable) {
    long there = Native.pt_file_bytes(descriptor);
    if (there < 0) {
      throw new IllegalStateException(name + ": descriptor " + descriptor + ": errno " + -there);
    }
    if (there < bytes) {
      throw new IncompatibleLayoutException(
          name + ": " + there + " bytes on the native side, at least " + bytes + " here");
    }
    int[] error = new int[1];
    Pointer start = Native.pt_map(descriptor, bytes, writable ? 1 : 0, error);
    if (start == null) {
      throw new IllegalStateException(name + ": cannot be mapped: errno " + -error[0]);
    }
    ByteBuffer buffer = new BytePointer(start).capacity(bytes).asByteBuffer();
    return writable ? buffer : buffer.asReadOnlyBuffer();
  }
}
