// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.abi.generated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

class NativeCallsTest {
  private static final int EAGAIN = -11;
  private static final int EBADF = -9;
  private static final int ETIMEDOUT = -110;
  private static final int NO_SUCH_DESCRIPTOR = 1 << 20;

  static {
    Loader.load(Native.class);
  }

  private final ByteBuffer memory = ByteBuffer.allocateDirect(64);
  private final IntPointer word = new IntPointer(new BytePointer(memory));

  @Test
  void waitReturnsAtOnceWhereTheWordDiffers() {
    word.put(7);
    assertEquals(EAGAIN, Native.pt_futex_wait(word, 8, 10_000_000_000L));
  }

  @Test
  void waitGivesUpAfterItsTimeout() {
    long start = System.nanoTime();
    assertEquals(ETIMEDOUT, Native.pt_futex_wait(word, 0, 3_000_000));
    assertTrue(System.nanoTime() - start >= 3_000_000);
  }

  @Test
  void wakeEndsAWait() {
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          AtomicInteger result = new AtomicInteger(1);
          Thread sleeper =
              new Thread(() -> result.set(Native.pt_futex_wait(word, 0, 60_000_000_000L)));
          sleeper.start();
          while (Native.pt_futex_wake(word) == 0) {
            Thread.onSpinWait();
          }
          sleeper.join();
          assertEquals(0, result.get());
        });
  }

  @Test
  void errorsAreNegativeErrnoValues() {
    int[] error = new int[1];
    assertNull(Native.pt_map(NO_SUCH_DESCRIPTOR, 4096, 0, error));
    assertEquals(EBADF, error[0]);
    assertEquals(EBADF, Native.pt_file_bytes(NO_SUCH_DESCRIPTOR));
    assertEquals(EBADF, Native.pt_eventfd_signal(NO_SUCH_DESCRIPTOR));
    assertTrue(Native.pt_unmap(new Pointer(word).position(1), 1) < 0);
  }
}
