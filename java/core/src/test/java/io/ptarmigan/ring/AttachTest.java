// SPDX-License-Identifier: Apache-2.0
package io.ptarmigan.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ptarmigan.abi.Counter;
import io.ptarmigan.abi.DecisionsHeaderLayout;
import io.ptarmigan.abi.Memory;
import io.ptarmigan.abi.StreamHeaderLayout;
import io.ptarmigan.abi.generated.Native;
import io.ptarmigan.abi.generated.pt_counters;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class AttachTest {
  private final StreamProducer producer = new StreamProducer();

  @Test
  void mismatchNamesBothVersions() {
    Memory.setInt(producer.streamBuffer(), StreamHeaderLayout.VERSION, 77);
    var refused = assertThrows(IncompatibleLayoutException.class, producer::stream);
    assertTrue(refused.getMessage().contains("77"), refused.getMessage());
    assertTrue(
        refused
            .getMessage()
            .contains("version is 77 on the native side and " + Native.PT_ABI_VERSION + " here"),
        refused.getMessage());
  }

  @Test
  void otherSizesAreRefused() {
    Memory.setInt(producer.streamBuffer(), StreamHeaderLayout.SLOT_BYTES, 1024);
    var refused = assertThrows(IncompatibleLayoutException.class, producer::stream);
    assertTrue(refused.getMessage().contains("1024"), refused.getMessage());
    assertTrue(refused.getMessage().contains("512"), refused.getMessage());
  }

  @Test
  void unfinishedHeaderIsRefused() {
    Memory.setLong(producer.streamBuffer(), StreamHeaderLayout.MAGIC, 0);
    assertThrows(IncompatibleLayoutException.class, producer::stream);
  }

  @Test
  void decisionsOfAnotherGenerationAreRefused() {
    Memory.setInt(producer.decisionsBuffer(), DecisionsHeaderLayout.GENERATION, 9);
    var refused = assertThrows(IncompatibleLayoutException.class, producer::decisions);
    assertTrue(refused.getMessage().contains("generation is 9"), refused.getMessage());
  }

  @Test
  void decisionsOfAnotherVersionAreRefused() {
    Memory.setInt(
        producer.decisionsBuffer(), DecisionsHeaderLayout.VERSION, Native.PT_ABI_VERSION + 1);
    assertThrows(IncompatibleLayoutException.class, producer::decisions);
  }

  @Test
  void aMissingDescriptorIsNamed() {
    int none = 1 << 20;
    var refused = assertThrows(IllegalStateException.class, () -> Stream.attach(none));
    assertTrue(refused.getMessage().contains(String.valueOf(none)), refused.getMessage());
  }

  @Test
  void headerValuesAreRead() {
    producer.state(Native.PT_STATE_ENDED);
    Stream stream = producer.stream();
    assertEquals(2, stream.vcpus());
    assertEquals(40, stream.maxphyaddr());
    assertEquals(20_000_000, stream.deadlineNanos());
    assertEquals(StreamProducer.GENERATION, stream.generation());
    assertEquals(Native.PT_STATE_ENDED, stream.state());
  }

  @Test
  void everyNativeCounterHasItsName() {
    Set<String> fields =
        Arrays.stream(pt_counters.class.getDeclaredMethods())
            .filter(method -> method.getReturnType() == long.class)
            .map(Method::getName)
            .collect(Collectors.toSet());
    Set<String> names =
        Arrays.stream(Counter.values()).map(Counter::field).collect(Collectors.toSet());
    assertEquals(fields, names);
    for (Counter counter : Counter.values()) {
      producer.counter(counter, 1000 + counter.ordinal());
    }
    Stream stream = producer.stream();
    for (Counter counter : Counter.values()) {
      assertEquals(1000 + counter.ordinal(), stream.counter(counter));
    }
  }
}
