// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.cli;

import io.ptarmigan.monitor.GuestMonitorBuilder;
import io.ptarmigan.recording.Recorder;
import io.ptarmigan.recording.RecorderRehearsal;
import io.ptarmigan.ring.DeciderLog;
import io.ptarmigan.ring.Stream;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The recording of a monitor: one file per JVM. Closed after the monitor. */
final class Recording implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Recording.class);
  private static final int FIRST_GENERATION = 1;
  private static final int REHEARSED_ROUNDS = 50_000;

  private final Path file;
  private final DeciderLog log = new DeciderLog();
  private final Recorder recorder;
  private final Stream stream;

  private Recording(Path file, Channel channel) throws IOException {
    this.file = file;
    stream = channel.stream();
    recorder =
        Recorder.create(
            file, channel.stream(), channel.decisions(), log, failure -> ended(file, failure));
  }

  private static void ended(Path file, IOException failure) {
    LOG.error(
        "{}: recording ended, monitoring goes on: {}", file.getFileName(), failure.toString());
  }

  /**
   * Creates the file; that of a JVM that was started again has its generation behind the name.
   *
   * @return null where the file of a later JVM cannot be made: the guest comes before it
   * @throws IOException where that of the first cannot: better not to start than not to record
   */
  static Recording begin(Path file, Channel channel) throws IOException {
    RecorderRehearsal.run(REHEARSED_ROUNDS);
    int generation = channel.decisions().generation();
    if (generation == FIRST_GENERATION) {
      try {
        return new Recording(file, channel);
      } catch (FileAlreadyExistsException e) {
        throw new IOException(file + " exists already: a recording does not replace it", e);
      }
    }
    Path later = file.resolveSibling(file.getFileName() + "." + generation);
    try {
      return new Recording(later, channel);
    } catch (IOException e) {
      ended(later, e);
      return null;
    }
  }

  GuestMonitorBuilder addTo(GuestMonitorBuilder builder) {
    return builder
        .log(log)
        .follower("recorder", recorder)
        .plugin(monitor -> recorder.takeBacklog(stream));
  }

  @Override
  public void close() {
    recorder.close();
    LOG.info(
        "{}: {} records, {} gaps, {} bytes",
        file.getFileName(),
        recorder.records(),
        recorder.gaps(),
        recorder.bytes());
  }
}
