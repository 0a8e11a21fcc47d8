// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * Writes frames through one buffer, without allocation. The checksum in a frame is that of the
 * whole file up to its end, so that a frame cannot go missing, come twice or change places unseen.
 * One thread at a time.
 */
final class RecordingWriter implements Closeable {
  private static final int BUFFER_BYTES = 1 << 18;

  private final WritableByteChannel channel;
  private final ByteBuffer buffer =
      ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final ByteBuffer checked = buffer.duplicate();
  private final CRC32C checksum = new CRC32C();
  private long written;

  /** Begins a recording on a channel, which {@link #close} closes. */
  RecordingWriter(WritableByteChannel channel, RecordingHeader header) throws IOException {
    this.channel = channel;
    header.put(buffer);
    check(0, Format.HEADER_CRC_AT);
    buffer.putInt(Format.HEADER_CRC_AT, (int) checksum.getValue());
    buffer.position(Format.HEADER_BYTES);
    flush();
  }

  /**
   * Begins a recording in a new file that only its owner may read: it holds guest memory.
   *
   * @throws java.nio.file.FileAlreadyExistsException rather than overwrite a recording
   */
  static RecordingWriter create(Path file, RecordingHeader header) throws IOException {
    return new RecordingWriter(
        FileChannel.open(
            file,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))),
        header);
  }

  /**
   * Adds a frame.
   *
   * @param at its place in the stream
   * @param payload its first {@code length} bytes are the frame's
   */
  void frame(int kind, long at, ByteBuffer payload, int length) throws IOException {
    if (buffer.remaining() < Format.FRAME_BYTES + length) {
      flush();
    }
    int frame = buffer.position();
    int end = frame + Format.FRAME_BYTES + length;
    buffer.putShort(frame + Format.KIND_AT, (short) kind);
    buffer.putShort(frame + Format.LENGTH_AT, (short) length);
    buffer.putLong(frame + Format.AT_AT, at);
    buffer.put(frame + Format.FRAME_BYTES, payload, 0, length);
    check(frame + Format.KIND_AT, end);
    buffer.putInt(frame + Format.CRC_AT, (int) checksum.getValue());
    buffer.position(end);
  }

  private void check(int from, int to) {
    checked.limit(to).position(from);
    checksum.update(checked);
  }

  /** Hands what is buffered to the system. */
  void flush() throws IOException {
    buffer.flip();
    while (buffer.hasRemaining()) {
      written += channel.write(buffer);
    }
    buffer.clear();
    checked.clear();
  }

  /** Bytes handed to the system. */
  long written() {
    return written;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
