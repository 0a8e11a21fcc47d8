// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import com.lmax.disruptor.EventHandler;
import io.ptarmigan.abi.CompletionLayout;
import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.CopyingProvider;
import io.ptarmigan.ring.DeciderLog;
import io.ptarmigan.ring.DeciderLogReader;
import io.ptarmigan.ring.Decisions;
import io.ptarmigan.ring.Stream;
import io.ptarmigan.ring.StreamRecord;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * The follower that writes a recording: every record of the stream, and after each what the decider
 * did before it took the next. It gates nobody; what it was too slow for becomes a gap in the file.
 * Where the file cannot be written the recording ends, told once, and the monitor goes on.
 *
 * <p>Allocates nothing per record. {@link #close} comes when its thread has ended.
 */
public final class Recorder implements EventHandler<StreamRecord>, Closeable {
  private final RecordingWriter writer;
  private final DeciderLogReader log;
  private final Consumer<IOException> failed;
  private final ByteBuffer payload =
      ByteBuffer.allocateDirect(Format.MOST_PAYLOAD).order(ByteOrder.LITTLE_ENDIAN);
  private ByteBuffer backlog;
  private long backlogFrom;
  private boolean ended;
  private long last;
  private long records;
  private long gaps;
  private long gapFrom;
  private long gapRecords;
  private long entriesLost;

  Recorder(RecordingWriter writer, DeciderLog log, long begun, Consumer<IOException> failed) {
    this.writer = writer;
    this.log = new DeciderLogReader(log);
    this.failed = failed;
    last = begun;
  }

  /**
   * Begins a recording of what follows in a stream.
   *
   * @param log that the decider of this stream will write
   * @param failed told, once, on the follower's thread, why the recording ended early
   * @throws java.nio.file.FileAlreadyExistsException rather than overwrite a recording
   */
  public static Recorder create(
      Path file, Stream stream, Decisions decisions, DeciderLog log, Consumer<IOException> failed)
      throws IOException {
    RecordingHeader header =
        new RecordingHeader(
            stream.vcpus(),
            stream.maxphyaddr(),
            decisions.generation(),
            decisions.consumed(),
            System.currentTimeMillis());
    return new Recorder(RecordingWriter.create(file, header), log, header.begun(), failed);
  }

  /**
   * Copies what waits in the stream before the decider starts. Behind a JVM that died that can be
   * the whole ring, which the decider goes through at once and the native side then overwrites.
   */
  public void takeBacklog(Stream stream) {
    CopyingProvider copies = new CopyingProvider(stream);
    long waiting = stream.cursor() - last;
    backlog = ByteBuffer.allocateDirect((int) waiting * Native.PT_SLOT_BYTES);
    backlogFrom = last + 1;
    for (int i = 0; i < waiting; i++) {
      copies.get(backlogFrom + i).copyTo(backlog, i * Native.PT_SLOT_BYTES, Native.PT_SLOT_BYTES);
    }
  }

  /** True if the record is one of those that waited; it is then in {@link #payload}. */
  private boolean inBacklog(long sequence) {
    long index = sequence - backlogFrom;
    if (backlog == null || index * Native.PT_SLOT_BYTES >= backlog.capacity()) {
      return false;
    }
    payload.put(0, backlog, (int) index * Native.PT_SLOT_BYTES, Format.MOST_PAYLOAD);
    return payload.getInt(HeadLayout.KIND) != 0;
  }

  @Override
  public void onEvent(StreamRecord record, long sequence, boolean endOfBatch) {
    if (ended) {
      return;
    }
    try {
      take(record, sequence);
      if (endOfBatch) {
        writer.flush();
      }
    } catch (IOException e) {
      end(e);
    }
  }

  private void take(StreamRecord record, long sequence) throws IOException {
    boolean lapped = record.kind() == 0;
    if (lapped && !inBacklog(sequence)) {
      if (gapRecords == 0) {
        drain(sequence);
        gapFrom = sequence;
      }
      gapRecords++;
    } else {
      closeGap();
      drain(sequence);
      if (!lapped) {
        record.copyTo(payload, 0, Format.MOST_PAYLOAD);
      } else {
        inBacklog(sequence);
      }
      writer.frame(Format.RECORD, sequence, payload, bytes(payload.getInt(HeadLayout.KIND)));
      records++;
    }
    last = sequence;
  }

  /** What a slot holds behind its record is left over from earlier ones. */
  private static int bytes(int kind) {
    return switch (kind) {
      case Native.PT_RECORD_EXIT -> ExitLayout.SIZE;
      case Native.PT_RECORD_OUTCOME -> OutcomeLayout.SIZE;
      case Native.PT_RECORD_COMPLETION -> CompletionLayout.SIZE;
      case Native.PT_RECORD_GAP -> HeadLayout.SIZE;
      default -> Format.MOST_PAYLOAD;
    };
  }

  /** Writes what the decider did until it took this record. */
  private void drain(long sequence) throws IOException {
    while (log.next(sequence)) {
      tellLostEntries();
      writer.frame(log.kind(), log.at(), log.payload(), log.length());
    }
    tellLostEntries();
  }

  private void tellLostEntries() throws IOException {
    if (log.lost() != entriesLost) {
      long lost = log.lost() - entriesLost;
      entriesLost = log.lost();
      gap(last, 0, lost);
    }
  }

  private void closeGap() throws IOException {
    if (gapRecords != 0) {
      gap(gapFrom, gapRecords, 0);
      gapRecords = 0;
    }
  }

  private void gap(long from, long recordsLost, long lost) throws IOException {
    payload.putLong(0, recordsLost);
    payload.putLong(8, lost);
    writer.frame(Format.GAP, from, payload, Format.GAP_BYTES);
    gaps++;
  }

  private void end(IOException failure) {
    ended = true;
    log.stop();
    failed.accept(failure);
  }

  /** Marks the recording as complete, unless it ended early. */
  @Override
  public void close() {
    try {
      if (!ended) {
        closeGap();
        drain(Long.MAX_VALUE);
        payload.putLong(0, records);
        writer.frame(Format.END, last, payload, Format.END_BYTES);
        writer.flush();
        ended = true;
      }
      writer.close();
    } catch (IOException e) {
      if (!ended) {
        end(e);
      }
    }
  }

  /** Records in the file; to be read when the thread has ended. */
  public long records() {
    return records;
  }

  /** Places in the file where records, or what the decider did, are missing; read likewise. */
  public long gaps() {
    return gaps;
  }

  /** Bytes in the file; read likewise. */
  public long bytes() {
    return writer.written();
  }
}
