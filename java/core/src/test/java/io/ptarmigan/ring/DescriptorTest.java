// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.StreamHeaderLayout;
import io.ptarmigan.abi.generated.Native;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Attaching to descriptors, as a JVM does that the native side started. */
class DescriptorTest {
  private final StreamProducer producer = new StreamProducer();
  @TempDir private Path directory;
  private FileChannel channel;

  @AfterEach
  void close() throws IOException {
    channel.close();
  }

  /** Writes a file and leaves it open; its descriptor. */
  private int descriptorOf(ByteBuffer content, int bytes) throws IOException {
    Path file = directory.resolve("shared");
    channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    channel.write(content.duplicate().limit(bytes));
    try (var descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors
          .filter(descriptor -> pointsTo(descriptor, file))
          .mapToInt(descriptor -> Integer.parseInt(descriptor.getFileName().toString()))
          .findAny()
          .orElseThrow();
    }
  }

  private static boolean pointsTo(Path descriptor, Path file) {
    try {
      return Files.readSymbolicLink(descriptor).equals(file.toRealPath());
    } catch (IOException e) {
      return false; // closed meanwhile
    }
  }

  private long inFile(int offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES);
    channel.read(bytes, offset);
    return Memory.getLong(bytes, 0);
  }

  @Test
  void aStreamIsRead() throws Exception {
    producer.exit(1).publish();
    int descriptor = descriptorOf(producer.streamBuffer(), Native.PT_STREAM_BYTES);
    Stream stream = Stream.attach(descriptor);
    assertEquals(1, stream.cursor());
    assertEquals(1, new StreamProvider(stream).get(1).vcpu());
  }

  @Test
  void decisionsAreWrittenToTheFile() throws Exception {
    int descriptor = descriptorOf(producer.decisionsBuffer(), Native.PT_DECISIONS_BYTES);
    Decisions decisions = Decisions.attach(descriptor, StreamProducer.GENERATION);
    new DecisionWriter(decisions, producer.wake()).decide(2, 77, Native.PT_ACTION_STEP, 0);
    assertEquals(77, inFile(Decisions.decisionOffset(2)));
  }

  @Test
  void aFileThatIsTooShortIsRefusedBeforeItIsTouched() throws Exception {
    int descriptor = descriptorOf(producer.streamBuffer(), Native.PT_STREAM_BYTES - 1);
    var refused = assertThrows(IncompatibleLayoutException.class, () -> Stream.attach(descriptor));
    assertTrue(
        refused.getMessage().contains(String.valueOf(Native.PT_STREAM_BYTES - 1)),
        refused.getMessage());
  }

  @Test
  void anotherVersionIsNamedWhateverTheFilesLength() throws Exception {
    Memory.setInt(producer.streamBuffer(), StreamHeaderLayout.VERSION, Native.PT_ABI_VERSION + 1);
    int descriptor = descriptorOf(producer.streamBuffer(), Native.PT_HEADER_BYTES);
    var refused = assertThrows(IncompatibleLayoutException.class, () -> Stream.attach(descriptor));
    assertTrue(
        refused.getMessage().contains("version is " + (Native.PT_ABI_VERSION + 1)),
        refused.getMessage());
  }
}
