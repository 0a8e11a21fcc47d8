// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.abi.DecisionLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.api.Verdict;
import io.ptarmigan.monitor.FakeGuest;
import io.ptarmigan.paging.Translation;
import io.ptarmigan.x86.Decoder;
import io.ptarmigan.x86.Emulator;
import io.ptarmigan.x86.IcedDecoder;
import io.ptarmigan.x86.PlanCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Same emulator, same result, live and in replay. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ReplayTest {
  private static final int ROUNDS = 4000;
  private static final long MOV_EAX = 0x9007_89L; // mov [rdi], eax; nop

  @TempDir private Path directory;
  private Path file;
  private RecordedRun run;

  @BeforeEach
  void record() throws IOException {
    file = directory.resolve("recording");
    run = RecordedRun.into(file, ROUNDS);
  }

  private static ReplayReport replay(Path file, Emulator emulator) throws IOException {
    try (RecordingReader recording = RecordingReader.open(file)) {
      return new Replay(recording, emulator, new ReplayWatches()).run();
    }
  }

  @Test
  void sameEmulatorSameResultLiveAndInReplay() throws IOException {
    ReplayReport report = replay(file, RecordedRun.emulator());
    assertEquals("", String.join("\n", report.firstParting()));
    assertNull(report.damage());
    assertEquals(0, report.gaps);
    assertEquals(0, report.undecided);
    assertEquals(report.exits, report.compared);
    assertTrue(report.compared > ROUNDS);
    assertEquals(run.denied, report.denied);
    assertEquals(run.lostSwaps, report.lostSwaps);
    assertTrue(
        run.denied - run.deniedByRule > 100
            && run.deniedByRule > 100
            && run.lostSwaps > 100
            && run.stepped > 100);
    assertTrue(report.watches > 100, "watches that came and went");
    assertTrue(report.commands > 1000);
  }

  @Test
  void anotherEmulatorIsCaughtAndNamed() throws IOException {
    Decoder iced = new IcedDecoder();
    Decoder wrong =
        (bits, low, high, count) ->
            iced.decode(bits, (low & 0xFFFFFF) == FakeGuest.MOV ? MOV_EAX : low, high, count);
    ReplayReport report = replay(file, new Emulator(new PlanCache(wrong, 1024)));
    assertFalse(report.identical());
    assertTrue(report.differing > ROUNDS / 2);
    String parting = String.join("\n", report.firstParting());
    assertTrue(parting.startsWith("exit "), parting);
    assertTrue(parting.contains("488907"), parting);
    assertTrue(parting.contains("gpa 0x40"), parting);
    assertTrue(parting.contains("* mask"), parting);
    assertFalse(parting.contains("* sequence"), parting);
  }

  /** Says which byte of which decision to change: counted from 0; -1 for none. */
  private interface Alteration {
    int offset(int decision);
  }

  /** Copies the recording, with bytes of decisions changed and all checksums right. */
  private Path altered(Alteration alteration) throws IOException {
    Path copy = directory.resolve("altered");
    Files.deleteIfExists(copy);
    try (RecordingReader from = RecordingReader.open(file);
        RecordingWriter to = RecordingWriter.create(copy, from.header())) {
      int decisions = 0;
      while (from.next()) {
        int offset = from.kind() == Format.DECISION ? alteration.offset(decisions++) : -1;
        if (offset >= 0) {
          from.payload().put(offset, (byte) (from.payload().get(offset) ^ 1));
        }
        to.frame(from.kind(), from.at(), from.payload(), from.length());
      }
      to.frame(Format.END, from.at(), from.payload(), from.length());
      to.flush();
    }
    return copy;
  }

  private static boolean excluded(int offset) {
    return in(offset, DecisionLayout.GENERATION, 4)
        || in(offset, DecisionLayout.SEEN_NS, 8)
        || in(offset, DecisionLayout.DECIDED_NS, 8);
  }

  @Test
  void everyByteOfADecisionCounts() throws IOException {
    int first = DecisionLayout.SEQUENCE + Long.BYTES; // that is which exit it answers
    Path copy = altered(n -> n < first || n >= DecisionLayout.SIZE || excluded(n) ? -1 : n);
    ReplayReport report = replay(copy, RecordedRun.emulator());
    assertEquals(DecisionLayout.SIZE - first - 20, report.differing);
  }

  @Test
  void generationAndTimesDoNot() throws IOException {
    Path copy = altered(n -> excluded(n % DecisionLayout.SIZE) ? n % DecisionLayout.SIZE : -1);
    ReplayReport report = replay(copy, RecordedRun.emulator());
    assertEquals("", String.join("\n", report.firstParting()));
    assertTrue(report.compared > ROUNDS);
  }

  private static boolean in(int offset, int field, int bytes) {
    return offset >= field && offset < field + bytes;
  }

  @Test
  void aWatchThatIsNotPlacedAsRecordedIsNoticed() throws IOException {
    Path copy = directory.resolve("copy");
    try (RecordingReader from = RecordingReader.open(file);
        RecordingWriter to = RecordingWriter.create(copy, from.header())) {
      while (from.next()) {
        if (from.kind() != Format.PLACED || from.payload().getLong(0) != 1) {
          to.frame(from.kind(), from.at(), from.payload(), from.length());
        }
      }
      to.flush();
    }
    ReplayReport report = replay(copy, RecordedRun.emulator());
    assertFalse(report.identical());
    assertTrue(report.differing > 100, "writes to the watched entry are not relevant any more");
    assertTrue(report.commandDifferences > 0);
    assertTrue(report.firstParting().get(0).contains("which the replay does not send"));
  }

  @Test
  void whatAnEarlierJvmToldOfAWatchIsPartOfTheRecording() throws IOException {
    Path copy = directory.resolve("copy");
    int recalled = 0;
    try (RecordingReader from = RecordingReader.open(file);
        RecordingWriter to = RecordingWriter.create(copy, from.header())) {
      while (from.next()) {
        if (from.kind() == Format.PLACED && from.payload().getLong(40) != Translation.UNKNOWN) {
          recalled++;
          from.payload().putLong(40, Translation.UNKNOWN);
        }
        to.frame(from.kind(), from.at(), from.payload(), from.length());
      }
      to.flush();
    }
    assertEquals(1, recalled);
    ReplayReport report = replay(copy, RecordedRun.emulator());
    assertTrue(report.differing > 0, "the first mapping is of another frame than was told");
    assertEquals(0, report.commandDifferences);
  }

  @Test
  void afterAGapDecisionsAreComparedButForWhatDependsOnWatches() throws IOException {
    Path copy = directory.resolve("copy");
    try (RecordingReader from = RecordingReader.open(file);
        RecordingWriter to = RecordingWriter.create(copy, from.header())) {
      int records = 0;
      while (from.next()) {
        records += from.kind() == Format.RECORD ? 1 : 0;
        boolean lost = records > 1000 && records <= 1500;
        if (!lost) {
          to.frame(from.kind(), from.at(), from.payload(), from.length());
        } else if (records == 1500 && from.kind() == Format.RECORD) {
          from.payload().putLong(0, 500).putLong(8, 0);
          to.frame(Format.GAP, from.at(), from.payload(), Format.GAP_BYTES);
        }
      }
      to.flush();
    }
    ReplayReport report = replay(copy, RecordedRun.emulator());
    assertEquals("", String.join("\n", report.firstParting()));
    assertEquals(1, report.gaps);
    assertEquals(500, report.recordsLost);
    assertTrue(report.unjudged > 1000 && report.unjudged < report.compared);
    assertNotNull(report.damage(), "the copy has no mark of its end");
  }

  private ReplayReport replayWith(RecordedRun.Policy policy) throws IOException {
    ReplayWatches watches = new ReplayWatches();
    RecordedRun.watch(watches, policy);
    try (RecordingReader recording = RecordingReader.open(file)) {
      return new Replay(recording, RecordedRun.emulator(), watches).run();
    }
  }

  @Test
  void aPluginIsAskedAgain() throws IOException {
    ReplayReport same = replayWith(RecordedRun::keepEntry);
    assertEquals("", String.join("\n", same.firstParting()));
    assertEquals(0, same.watchesNotRecorded);
    ReplayReport lenient = replayWith(proposed -> Verdict.ALLOW);
    assertEquals(run.denied - run.deniedByRule, lenient.differing);
    String parting = String.join("\n", lenient.firstParting());
    assertTrue(parting.contains(Names.action(Native.PT_ACTION_SKIP)), parting);
  }
}
