// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.proof;

import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** The native runner with the array of records that it shares. Not thread-safe. */
public final class OracleProcess implements AutoCloseable {
  private static final int SKIPPED = 77;
  private static final int MOST_RECORD_BYTES = 1024;

  private final Process process;
  private final Path file;
  private final OutputStream requests;
  private final DataInputStream replies;
  private final OracleLayout layout;
  private final ByteBuffer records;

  /** The processor or the kernel cannot run cases. */
  public static final class Unavailable extends IOException {
    private static final long serialVersionUID = 1;

    Unavailable(String message) {
      super(message);
    }
  }

  /**
   * Starts the runner.
   *
   * @param count records to share
   * @throws Unavailable if it says that it cannot run here
   */
  OracleProcess(Path binary, int count) throws IOException {
    file = Files.createTempFile("oracle", ".records");
    try (RandomAccessFile shared = new RandomAccessFile(file.toFile(), "rw")) {
      shared.setLength((long) count * MOST_RECORD_BYTES);
      records =
          shared
              .getChannel()
              .map(FileChannel.MapMode.READ_WRITE, 0, shared.length())
              .order(ByteOrder.LITTLE_ENDIAN);
    }
    process =
        new ProcessBuilder(binary.toString(), "--batch", file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    requests = process.getOutputStream();
    // One byte at a time until the numbers begin: a reader that buffers would swallow replies.
    replies = new DataInputStream(process.getInputStream());
    layout = readLayout();
    if (layout.recordBytes > MOST_RECORD_BYTES) {
      throw new IOException("records of " + layout.recordBytes + " bytes");
    }
  }

  private OracleLayout readLayout() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int next = replies.read(); next >= 0; next = replies.read()) {
      text.append((char) next);
      if (next == '\n' && text.lastIndexOf("record ") > text.lastIndexOf("\n", text.length() - 2)) {
        return new OracleLayout(new BufferedReader(new StringReader(text.toString())));
      }
    }
    close();
    if (process.exitValue() == SKIPPED) {
      throw new Unavailable(text.toString().trim());
    }
    throw new IOException("the oracle ended with " + process.exitValue() + ": " + text);
  }

  OracleLayout layout() {
    return layout;
  }

  ByteBuffer records() {
    return records;
  }

  /** Lets the runner work on some records; the caller may prepare others meanwhile. */
  void start(int first, int count) throws IOException {
    ByteBuffer request = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    request.putInt(first).putInt(count);
    requests.write(request.array());
    requests.flush();
  }

  /** Waits for the records given to {@link #start}. */
  void await(int count) throws IOException {
    int done = Integer.reverseBytes(replies.readInt());
    if (done != count) {
      throw new IOException("the oracle did " + done + " of " + count + " cases");
    }
  }

  @Override
  public void close() throws IOException {
    requests.close();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    Files.deleteIfExists(file);
  }
}
