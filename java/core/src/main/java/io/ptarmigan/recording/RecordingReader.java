// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.generated.Native;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * Reads a recording frame by frame. Nothing of a frame is shown before its checksum and its content
 * are found right, and nothing after the first that is not: what was read until then is intact.
 */
public final class RecordingReader implements Closeable {
  private static final int BUFFER_BYTES = 1 << 18;
  private static final int LAST_RECORD_KIND = Native.PT_RECORD_GAP;
  private static final int[] EXACT = new int[Format.END + 1];

  static {
    EXACT[Format.DECISION] = DecisionLayout.SIZE;
    EXACT[Format.COMMAND] = Native.PT_COMMAND_BYTES;
    EXACT[Format.PLACED] = Format.PLACED_BYTES;
    EXACT[Format.REMOVED] = Format.REMOVED_BYTES;
    EXACT[Format.GAP] = Format.GAP_BYTES;
    EXACT[Format.END] = Format.END_BYTES;
  }

  private final ReadableByteChannel channel;
  private final ByteBuffer buffer =
      ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final ByteBuffer checked = buffer.duplicate();
  private final ByteBuffer payload =
      ByteBuffer.allocateDirect(Format.MOST_PAYLOAD).order(ByteOrder.LITTLE_ENDIAN);
  private final CRC32C checksum = new CRC32C();
  private final RecordingHeader header;
  private long intact;
  private long frames;
  private long lastRecord;
  private long records;
  private int kind;
  private long at;
  private int length;
  private boolean over;

  /**
   * Begins to read from a channel, which {@link #close} closes.
   *
   * @throws DamagedRecordingException where it does not begin as a recording of this kind
   */
  RecordingReader(ReadableByteChannel channel) throws IOException {
    this.channel = channel;
    buffer.flip();
    if (!available(Format.HEADER_BYTES)) {
      throw new DamagedRecordingException("not a recording: shorter than a header");
    }
    RecordingHeader.requireMagicAndVersions(buffer);
    check(0, Format.HEADER_CRC_AT);
    if (buffer.getInt(Format.HEADER_CRC_AT) != (int) checksum.getValue()) {
      throw new DamagedRecordingException("the header is damaged");
    }
    header = RecordingHeader.get(buffer);
    lastRecord = header.begun();
    consume(Format.HEADER_BYTES);
  }

  /**
   * Opens a file.
   *
   * @throws DamagedRecordingException where it does not begin as a recording of this kind
   */
  public static RecordingReader open(Path file) throws IOException {
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    try {
      return new RecordingReader(channel);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  public RecordingHeader header() {
    return header;
  }

  /**
   * Moves to the next frame; false after the last.
   *
   * @throws DamagedRecordingException where the file is cut or damaged from here on
   */
  public boolean next() throws IOException {
    if (over) {
      return false;
    }
    over = true; // whatever follows damage is not looked at
    if (!available(Format.FRAME_BYTES)) {
      throw damage(
          buffer.hasRemaining() ? "cut within a frame" : "cut: there is no mark of its end");
    }
    int frame = buffer.position();
    length = Short.toUnsignedInt(buffer.getShort(frame + Format.LENGTH_AT));
    if (length > Format.MOST_PAYLOAD) {
      throw damage("a frame of " + length + " bytes");
    }
    if (!available(Format.FRAME_BYTES + length)) {
      throw damage("cut within a frame");
    }
    frame = buffer.position();
    check(frame + Format.KIND_AT, frame + Format.FRAME_BYTES + length);
    if (buffer.getInt(frame + Format.CRC_AT) != (int) checksum.getValue()) {
      throw damage("a wrong checksum");
    }
    kind = Short.toUnsignedInt(buffer.getShort(frame + Format.KIND_AT));
    at = buffer.getLong(frame + Format.AT_AT);
    payload.put(0, buffer, frame + Format.FRAME_BYTES, length);
    requireSense();
    consume(Format.FRAME_BYTES + length);
    frames++;
    if (kind == Format.END) {
      requireEnd();
      return false;
    }
    over = false;
    return true;
  }

  private void requireSense() throws DamagedRecordingException {
    boolean sound =
        kind == Format.RECORD
            ? isRecord()
            : kind > 0 && kind < EXACT.length && length == EXACT[kind] && at >= lastRecord;
    if (!sound) {
      throw damage("a frame that makes no sense");
    }
    if (kind == Format.RECORD) {
      lastRecord = at;
      records++;
    }
  }

  /** The checksum can be right and the writer wrong: what indexes an array is looked at. */
  private boolean isRecord() {
    int recordKind = length < Format.FRAME_BYTES ? 0 : payload.getInt(HeadLayout.KIND);
    return recordKind > 0
        && recordKind <= LAST_RECORD_KIND
        && payload.getLong(HeadLayout.SEQUENCE) == at
        && Integer.compareUnsigned(payload.getInt(HeadLayout.VCPU), Native.PT_MAX_VCPUS) < 0
        && at > lastRecord;
  }

  private void requireEnd() throws IOException {
    if (payload.getLong(0) != records) {
      throw damage("an end after " + payload.getLong(0) + " records, where there were " + records);
    }
    if (available(1)) {
      throw damage("something after the mark of its end");
    }
  }

  private DamagedRecordingException damage(String what) {
    return new DamagedRecordingException(
        String.format("%s, at byte %d; %d frames before it are intact", what, intact, frames));
  }

  private void check(int from, int to) {
    checked.limit(to).position(from);
    checksum.update(checked);
  }

  private void consume(int bytes) {
    buffer.position(buffer.position() + bytes);
    intact += bytes;
  }

  /** True if so many bytes are at the buffer's position, which reading may move. */
  private boolean available(int bytes) throws IOException {
    while (buffer.remaining() < bytes) {
      buffer.compact();
      int count = channel.read(buffer);
      buffer.flip();
      if (count < 0) {
        return false;
      }
    }
    return true;
  }

  /** {@code Format.RECORD} and so on. */
  int kind() {
    return kind;
  }

  /** Place in the stream. */
  long at() {
    return at;
  }

  /** Valid bytes in {@link #payload}. */
  int length() {
    return length;
  }

  /** The frame's content from offset 0; until the next move. */
  ByteBuffer payload() {
    return payload;
  }

  /** Bytes from the start of the file that were found intact. */
  public long intactBytes() {
    return intact;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
