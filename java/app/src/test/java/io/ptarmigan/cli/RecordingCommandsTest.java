// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.abi.ExitLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.recording.Recorder;
import io.ptarmigan.ring.CopyingProvider;
import io.ptarmigan.ring.DeciderLog;
import io.ptarmigan.ring.DecisionWriter;
import io.ptarmigan.ring.StreamProducer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The exit status and the words of replay and dump. */
class RecordingCommandsTest {
  private static final long FXSAVE = 0x07AE0FL;
  private static final long MOV = 0x078948L;
  private static final int EXITS = 5;

  @TempDir private Path directory;
  private final StringWriter output = new StringWriter();
  private final StringWriter errors = new StringWriter();
  private Path stepped;

  @BeforeEach
  void record() throws IOException {
    stepped = recorded("stepped", FXSAVE);
  }

  /** A recording in which every exit was stepped. */
  private Path recorded(String name, long instruction) throws IOException {
    Path file = directory.resolve(name);
    StreamProducer producer = new StreamProducer();
    CopyingProvider copies = new CopyingProvider(producer.stream());
    DeciderLog log = new DeciderLog();
    DecisionWriter decisions = new DecisionWriter(producer.decisions(), producer.wake(), log);
    try (Recorder recorder =
        Recorder.create(
            file,
            producer.stream(),
            producer.decisions(),
            log,
            failure -> {
              throw new AssertionError(failure);
            })) {
      for (int i = 0; i < EXITS; i++) {
        long sequence =
            producer
                .exit(0)
                .with(ExitLayout.INSN, instruction)
                .with(ExitLayout.GPA, 0x4000L)
                .with(ExitLayout.GLA, 0x4000L)
                .with(ExitLayout.GPR + 7 * Long.BYTES, 0x4000L)
                .publish();
        log.begin(sequence);
        decisions.decide(0, sequence, Native.PT_ACTION_STEP, 1);
        recorder.onEvent(copies.get(sequence), sequence, true);
      }
    }
    return file;
  }

  private int run(Object command, Path file, String... options) {
    String[] arguments = Arrays.copyOf(options, options.length + 1);
    arguments[options.length] = file.toString();
    return new CommandLine(command)
        .setOut(new PrintWriter(output, true))
        .setErr(new PrintWriter(errors, true))
        .execute(arguments);
  }

  private Path cut() throws IOException {
    byte[] bytes = Files.readAllBytes(stepped);
    return Files.write(directory.resolve("cut"), Arrays.copyOf(bytes, bytes.length - 40));
  }

  @Test
  void aReplayThatDecidesTheSameEndsWith0() {
    assertEquals(0, run(new ReplayCommand(), stepped, "--json"));
    String json = output.toString().lines().reduce((first, last) -> last).orElseThrow();
    assertTrue(
        json.startsWith("{\"identical\":true,\"records\":5,\"exits\":5,\"compared\":5"), json);
  }

  @Test
  void aReplayThatPartsEndsWith1AndNamesTheExit() throws IOException {
    assertEquals(1, run(new ReplayCommand(), recorded("parts", MOV)));
    assertTrue(output.toString().contains("exit 1, vCPU 0, round 0: 488907"), output.toString());
    assertTrue(output.toString().contains("* action     step                 write"));
  }

  @Test
  void aCutFileIsUsedAsFarAsItGoesAndEndsWith2() throws IOException {
    assertEquals(2, run(new ReplayCommand(), cut()));
    assertTrue(output.toString().contains("compared               4"), output.toString());
    assertTrue(errors.toString().contains("cut"), errors.toString());
    assertEquals(1, errors.toString().lines().count());
  }

  @Test
  void whatIsNoRecordingEndsWith2() throws IOException {
    Path file = Files.writeString(directory.resolve("text"), "nothing of the kind".repeat(100));
    assertEquals(2, run(new ReplayCommand(), file));
    assertEquals(2, run(new DumpCommand(), file));
    assertEquals(2, run(new DumpCommand(), directory.resolve("missing")));
    assertEquals(3, errors.toString().lines().count(), errors.toString());
  }

  @Test
  void aDumpHasALinePerFrame() throws IOException {
    assertEquals(0, run(new DumpCommand(), stepped));
    String[] words = output.toString().lines().map(l -> l.split(" ")[0]).toArray(String[]::new);
    assertEquals(
        "[recording, exit, decision, exit, decision, exit, decision, exit, decision, exit,"
            + " decision, end]",
        Arrays.toString(words));
    assertTrue(output.toString().contains("decision sequence=3 action=step "));
    output.getBuffer().setLength(0);
    assertEquals(2, run(new DumpCommand(), cut()));
    assertEquals(words.length - 2, output.toString().lines().count());
  }
}
