// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.recording;

import io.ptarmigan.ring.DeciderLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Recorders for tests of other packages. */
public final class Recorders {
  private Recorders() {}

  private static final int REHEARSED_ROUNDS = 50_000;

  /** Rehearsed; writes through the system, and keeps nothing. */
  public static Recorder toNowhere(DeciderLog log) throws IOException {
    RecorderRehearsal.run(REHEARSED_ROUNDS);
    FileChannel channel = FileChannel.open(Path.of("/dev/null"), StandardOpenOption.WRITE);
    RecordingHeader header = new RecordingHeader(2, 40, 3, 0, 0);
    return new Recorder(
        new RecordingWriter(channel, header),
        log,
        0,
        failure -> {
          throw new UncheckedIOException(failure);
        });
  }
}
