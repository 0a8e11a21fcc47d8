// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.abi.OutcomeLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.monitor.FakeGuest;
import io.ptarmigan.monitor.GuestMonitor;
import io.ptarmigan.monitor.GuestMonitorBuilder;
import io.ptarmigan.ring.CopyingProvider;
import io.ptarmigan.ring.DeciderLog;
import io.ptarmigan.ring.StreamProducer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RecorderTest {
  private static final RecordingHeader HEADER = new RecordingHeader(2, 40, 3, 0, 0);

  @TempDir private Path directory;
  private final List<IOException> failures = new ArrayList<>();

  @Test
  void onlyTheOwnerMayReadIt() throws IOException {
    Path file = directory.resolve("recording");
    RecordingWriter.create(file, HEADER).close();
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
  }

  @Test
  void anEarlierRecordingIsNotReplaced() throws IOException {
    Path file = directory.resolve("recording");
    Files.writeString(file, "precious");
    assertThrows(FileAlreadyExistsException.class, () -> RecordingWriter.create(file, HEADER));
    assertEquals("precious", Files.readString(file));
  }

  /** A disk with room for so many bytes. */
  private static final class SmallDisk implements WritableByteChannel {
    private int room;

    SmallDisk(int room) {
      this.room = room;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
      int count = Math.min(room, source.remaining());
      if (count == 0) {
        throw new IOException("No space left on device");
      }
      source.position(source.position() + count);
      room -= count;
      return count;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  @Test
  void aFullDiskEndsTheRecordingOnceAndNotTheMonitor() throws IOException {
    FakeGuest guest = new FakeGuest();
    DeciderLog log = new DeciderLog();
    Recorder recorder =
        new Recorder(new RecordingWriter(new SmallDisk(10_000), HEADER), log, 0, failures::add);
    GuestMonitor monitor =
        new GuestMonitorBuilder(
                guest.producer.stream(), guest.producer.decisions(), guest.producer.wake())
            .emulator(RecordedRun.emulator())
            .log(log)
            .follower("recorder", recorder)
            .build();
    int applied = 0;
    try (monitor) {
      monitor.start();
      guest.serveUntilReady();
      for (int i = 0; i < 5000; i++) {
        long sequence = guest.raise(0, FakeGuest.MOV, 0x4000, i);
        applied += guest.carryOut(0, sequence, 0x4000) == Native.PT_RESULT_APPLIED ? 1 : 0;
      }
      guest.producer.state(Native.PT_STATE_ENDED);
      while (!monitor.drained()) {
        Thread.onSpinWait();
      }
      assertEquals(0, monitor.followerFailures());
    }
    recorder.close();
    assertEquals(5000, applied);
    assertEquals(1, failures.size());
    assertEquals("No space left on device", failures.get(0).getMessage());
  }

  private Recorder lapped(Path file, StreamProducer producer) throws IOException {
    DeciderLog log = new DeciderLog();
    Recorder recorder = new Recorder(RecordingWriter.create(file, HEADER), log, 0, failures::add);
    CopyingProvider copies = new CopyingProvider(producer.stream());
    for (int i = 0; i < 10 + Native.PT_SLOT_COUNT; i++) {
      producer.outcome(0, 1, Native.PT_RESULT_APPLIED).publish();
      if (i < 3) {
        recorder.onEvent(copies.get(i + 1), i + 1, true);
      }
    }
    for (int i = 4; i <= 10 + Native.PT_SLOT_COUNT; i++) {
      recorder.onEvent(copies.get(i), i, false);
    }
    return recorder;
  }

  @Test
  void whatItWasTooSlowForIsAGap() throws IOException {
    Path file = directory.resolve("recording");
    Recorder recorder = lapped(file, new StreamProducer());
    recorder.close();
    assertEquals(List.of(), failures);
    assertEquals(1, recorder.gaps());
    assertEquals(3 + Native.PT_SLOT_COUNT, recorder.records());
    try (RecordingReader reader = RecordingReader.open(file)) {
      List<String> gaps = new ArrayList<>();
      long records = 0;
      while (reader.next()) {
        records += reader.kind() == Format.RECORD ? 1 : 0;
        if (reader.kind() == Format.GAP) {
          gaps.add(records + ": " + reader.at() + "+" + reader.payload().getLong(0));
        }
      }
      assertEquals(List.of("3: 4+7"), gaps);
      assertEquals(recorder.records(), records);
    }
  }

  @Test
  void whatWaitsBeforeTheStartIsNotLostToALap() throws IOException {
    Path file = directory.resolve("recording");
    StreamProducer producer = new StreamProducer();
    Recorder recorder =
        new Recorder(RecordingWriter.create(file, HEADER), new DeciderLog(), 0, failures::add);
    for (int i = 1; i <= 100; i++) {
      producer.outcome(0, i, Native.PT_RESULT_STEPPED).publish();
    }
    recorder.takeBacklog(producer.stream());
    for (int i = 1; i <= Native.PT_SLOT_COUNT; i++) {
      producer.outcome(1, i, Native.PT_RESULT_APPLIED).publish();
    }
    CopyingProvider copies = new CopyingProvider(producer.stream());
    for (int i = 1; i <= 100 + Native.PT_SLOT_COUNT; i++) {
      recorder.onEvent(copies.get(i), i, false);
    }
    recorder.close();
    assertEquals(100, copies.lost());
    assertEquals(0, recorder.gaps());
    try (RecordingReader reader = RecordingReader.open(file)) {
      for (int i = 1; i <= 100; i++) {
        assertTrue(reader.next());
        assertEquals(i, reader.payload().getLong(OutcomeLayout.EXIT));
        assertEquals(Native.PT_RESULT_STEPPED, reader.payload().getInt(OutcomeLayout.RESULT));
      }
    }
  }

  @Test
  void aRecordingThatIsNotClosedIsUsedAndSaidToBeCut() throws IOException {
    Path file = directory.resolve("recording");
    lapped(file, new StreamProducer());
    try (RecordingReader reader = RecordingReader.open(file)) {
      ReplayReport report = new Replay(reader, RecordedRun.emulator(), new ReplayWatches()).run();
      assertEquals(3, report.records, "those of complete batches");
      assertTrue(report.identical());
      assertTrue(report.damage().getMessage().startsWith("cut"), report.damage().getMessage());
    }
  }

  @Test
  void anEmptyRunIsARecording() throws IOException {
    Path file = directory.resolve("recording");
    new Recorder(RecordingWriter.create(file, HEADER), new DeciderLog(), 0, failures::add).close();
    try (RecordingReader reader = RecordingReader.open(file)) {
      assertFalse(reader.next());
      assertFalse(reader.next());
    }
    try (RecordingReader reader = RecordingReader.open(file)) {
      assertNull(new Replay(reader, RecordedRun.emulator(), new ReplayWatches()).run().damage());
    }
  }
}
