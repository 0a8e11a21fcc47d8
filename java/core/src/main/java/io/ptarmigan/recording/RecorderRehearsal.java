// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.ring.CopyingProvider;
import io.ptarmigan.ring.DeciderLog;
import io.ptarmigan.ring.DecisionWriter;
import io.ptarmigan.ring.StreamProducer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Runs the recorder's path until the JVM has compiled it. Interpreted, it would be lapped as soon
 * as the guest is busy; and what the JVM itself allocates to compile would be the recorder's.
 */
public final class RecorderRehearsal {
  private static final Path NOWHERE = Path.of("/dev/null");
  private static final int RECORDS_PER_BATCH = 4;

  private RecorderRehearsal() {}

  /** Records so many exits and outcomes of a guest that is none, on the calling thread. */
  public static void run(int rounds) throws IOException {
    StreamProducer producer = new StreamProducer();
    CopyingProvider copies = new CopyingProvider(producer.stream());
    DeciderLog log = new DeciderLog();
    DecisionWriter decisions = new DecisionWriter(producer.decisions(), producer.wake(), log);
    RecordingWriter writer =
        new RecordingWriter(
            FileChannel.open(NOWHERE, StandardOpenOption.WRITE),
            new RecordingHeader(2, 40, StreamProducer.GENERATION, 0, 0));
    try (Recorder recorder = new Recorder(writer, log, 0, RecorderRehearsal::fail)) {
      for (int i = 0; i < rounds; i++) {
        long exit = producer.exit(0).publish();
        log.begin(exit);
        decisions.decide(0, exit, Native.PT_ACTION_STEP, exit);
        recorder.onEvent(copies.get(exit), exit, false);
        long outcome = producer.outcome(0, exit, Native.PT_RESULT_STEPPED).publish();
        recorder.onEvent(copies.get(outcome), outcome, i % RECORDS_PER_BATCH == 0);
      }
    }
  }

  private static void fail(IOException failure) {
    throw new UncheckedIOException(failure);
  }
}
