// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.HeadLayout;
import io.ptarmigan.abi.generated.Native;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** What is written is read; what is damaged is never read as good. */
class RecordingFileTest {
  private static final RecordingHeader HEADER = new RecordingHeader(2, 46, 3, 100, 1234567);

  /** A file and what it says, frame by frame. */
  private record Sample(byte[] file, List<String> frames) {}

  private static Sample sample(long seed, int frames) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    List<String> said = new ArrayList<>();
    RecordingWriter writer = new RecordingWriter(Channels.newChannel(bytes), HEADER);
    ByteBuffer payload =
        ByteBuffer.allocateDirect(Format.MOST_PAYLOAD).order(ByteOrder.LITTLE_ENDIAN);
    long at = HEADER.begun();
    long records = 0;
    for (int i = 0; i < frames; i++) {
      for (int n = 0; n < Format.MOST_PAYLOAD; n += Long.BYTES) {
        payload.putLong(n, random.nextInt(3) == 0 ? random.nextLong() : 0);
      }
      int kind = Format.RECORD + random.nextInt(Format.GAP);
      int length = length(kind, random);
      if (kind == Format.RECORD) {
        at += 1 + random.nextInt(3);
        records++;
        payload.putLong(HeadLayout.SEQUENCE, at);
        payload.putInt(HeadLayout.KIND, 1 + random.nextInt(Native.PT_RECORD_GAP));
        payload.putInt(HeadLayout.VCPU, random.nextInt(Native.PT_MAX_VCPUS));
      }
      writer.frame(kind, at, payload, length);
      said.add(said(kind, at, payload, length));
    }
    payload.putLong(0, records);
    writer.frame(Format.END, at, payload, Format.END_BYTES);
    writer.flush();
    return new Sample(bytes.toByteArray(), said);
  }

  private static int length(int kind, SplittableRandom random) {
    return switch (kind) {
      case Format.RECORD -> 16 + random.nextInt(Native.PT_SLOT_BYTES - 15);
      case Format.DECISION -> DecisionLayout.SIZE;
      case Format.COMMAND -> Native.PT_COMMAND_BYTES;
      case Format.REFUSED -> 0;
      case Format.PLACED -> Format.PLACED_BYTES;
      case Format.REMOVED -> Format.REMOVED_BYTES;
      default -> Format.GAP_BYTES;
    };
  }

  private static String said(int kind, long at, ByteBuffer payload, int length) {
    byte[] bytes = new byte[length];
    payload.get(0, bytes);
    return kind + " " + at + " " + HexFormat.of().formatHex(bytes);
  }

  /** The frames that can be read; the damage, or null. Throws nothing but on damage. */
  private static DamagedRecordingException read(byte[] file, List<String> frames) {
    try (RecordingReader reader =
        new RecordingReader(Channels.newChannel(new ByteArrayInputStream(file)))) {
      assertEquals(HEADER, reader.header());
      while (reader.next()) {
        frames.add(said(reader.kind(), reader.at(), reader.payload(), reader.length()));
      }
      return null;
    } catch (DamagedRecordingException damage) {
      return damage;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Property(tries = 100)
  void whatWasWrittenIsRead(@ForAll long seed, @ForAll @IntRange(max = 1500) int frames)
      throws IOException {
    Sample sample = sample(seed, frames);
    List<String> found = new ArrayList<>();
    assertNull(read(sample.file, found));
    assertEquals(sample.frames, found);
  }

  /** Damage is found, nothing behind it is shown, and everything before it is. */
  private static void assertFound(Sample sample, byte[] damaged, int firstDifference) {
    List<String> found = new ArrayList<>();
    DamagedRecordingException damage = read(damaged, found);
    assertNotNull(damage, "the damage went unseen");
    assertTrue(damage.getMessage().length() > 10);
    assertTrue(found.size() <= sample.frames.size());
    assertEquals(sample.frames.subList(0, found.size()), found);
    assertEquals(framesBefore(sample, firstDifference), found.size());
  }

  private static int framesBefore(Sample sample, int offset) {
    int end = Format.HEADER_BYTES;
    int frames = 0;
    for (String frame : sample.frames) {
      end += Format.FRAME_BYTES + (frame.length() - frame.lastIndexOf(' ') - 1) / 2;
      if (end > offset) {
        break;
      }
      frames++;
    }
    return frames;
  }

  /** A file can be right and what it says be wrong: it was written by something else. */
  @Property(tries = 200)
  void nonsenseWithRightChecksumsReplaysWithoutAFailure(@ForAll long seed) throws IOException {
    Sample sample = sample(seed, 200);
    try (RecordingReader reader =
        new RecordingReader(Channels.newChannel(new ByteArrayInputStream(sample.file)))) {
      ReplayReport report = new Replay(reader, RecordedRun.emulator(), new ReplayWatches()).run();
      assertTrue(report.records > 0 || report.damage() != null);
    }
  }

  @Property(tries = 300)
  void aCutIsFound(@ForAll long seed, @ForAll @IntRange(max = 1_000_000) int where)
      throws IOException {
    Sample sample = sample(seed, 50);
    int kept = where % sample.file.length;
    assertFound(sample, Arrays.copyOf(sample.file, kept), kept);
  }

  @Property(tries = 1000)
  void aFlippedBitIsFound(@ForAll long seed, @ForAll @IntRange(max = 10_000_000) int where)
      throws IOException {
    Sample sample = sample(seed, 30);
    byte[] damaged = sample.file.clone();
    int at = where % damaged.length;
    damaged[at] ^= (byte) (1 << (where & 7));
    assertFound(sample, damaged, at);
  }

  @Property(tries = 300)
  void insertedBytesAreFound(
      @ForAll long seed,
      @ForAll @IntRange(max = 1_000_000) int where,
      @ForAll @IntRange(min = 1, max = 900) int count)
      throws IOException {
    Sample sample = sample(seed, 30);
    int at = where % (sample.file.length + 1);
    byte[] inserted = new byte[count];
    new SplittableRandom(seed ^ where).nextBytes(inserted);
    byte[] damaged = new byte[sample.file.length + count];
    System.arraycopy(sample.file, 0, damaged, 0, at);
    System.arraycopy(inserted, 0, damaged, at, count);
    System.arraycopy(sample.file, at, damaged, at + count, sample.file.length - at);
    assertFound(sample, damaged, Arrays.mismatch(sample.file, damaged));
  }

  /**
   * Whole frames that go missing, come twice or change places have right checksums by themselves.
   */
  @Property(tries = 300)
  void framesOutOfPlaceAreFound(
      @ForAll long seed, @ForAll @IntRange(max = 29) int one, @ForAll @IntRange(max = 29) int two)
      throws IOException {
    Sample sample = sample(seed, 30);
    int begin = startOf(sample, Math.min(one, two));
    int end = startOf(sample, Math.max(one, two) + 1);
    ByteArrayOutputStream missing = new ByteArrayOutputStream();
    missing.write(sample.file, 0, begin);
    missing.write(sample.file, end, sample.file.length - end);
    ByteArrayOutputStream twice = new ByteArrayOutputStream();
    twice.write(sample.file, 0, end);
    twice.write(sample.file, begin, sample.file.length - begin);
    for (byte[] damaged : List.of(missing.toByteArray(), twice.toByteArray())) {
      assertFound(sample, damaged, Arrays.mismatch(sample.file, damaged));
    }
  }

  private static int startOf(Sample sample, int frame) {
    int start = Format.HEADER_BYTES;
    for (String text : sample.frames.subList(0, frame)) {
      start += Format.FRAME_BYTES + (text.length() - text.lastIndexOf(' ') - 1) / 2;
    }
    return start;
  }

  @Property(tries = 200)
  void anotherLayoutVersionIsNamedBesideOurs(@ForAll @IntRange(min = 0) int version)
      throws IOException {
    byte[] file = sample(1, 3).file;
    int theirs = version == Native.PT_ABI_VERSION ? version + 1 : version;
    ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(Format.ABI_VERSION_AT, theirs);
    List<String> found = new ArrayList<>();
    DamagedRecordingException damage = read(file, found);
    assertEquals(List.of(), found);
    assertEquals(
        "recorded with layout version "
            + theirs
            + ", and this program has "
            + Native.PT_ABI_VERSION,
        damage.getMessage());
  }
}
